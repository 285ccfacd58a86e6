//! Where credentials and region come from: the places in which the AWS CLI looks, in its order.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::region::Region;
use super::{AuthError, Options};

/// Bounds the look at files, environment and, where nothing else names a region, instance metadata.
const LONGEST_SEARCH: Duration = Duration::from_secs(30);

/// `ring`, as for the load itself: one TLS library in the program.
const TLS: Provider = Provider::Rustls(CryptoMode::Ring);

pub(super) struct Source {
    pub(super) region: Region,
    pub(super) provider: SharedCredentialsProvider,
}

/// # Errors
/// [`AuthError::NoRegion`] and [`AuthError::InvalidRegion`]; whether the provider gives anything is not asked yet.
pub(super) async fn find(options: &Options) -> Result<Source, AuthError> {
    let named = options.region.as_deref().map(Region::parse).transpose()?;
    let known = named.or_else(|| Region::of_function_url(&options.target));

    let http = aws_smithy_http_client::Builder::new().tls_provider(TLS).build_https();
    let client = ProviderConfig::without_region().with_http_client(http.clone());
    let region = configured_region(options.profile.as_deref(), known.as_ref(), &client);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http).region(region);
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    let config = tokio::time::timeout(LONGEST_SEARCH, loader.load())
        .await
        .map_err(|_elapsed| AuthError::TimedOut(LONGEST_SEARCH))?;

    let region = match known {
        Some(region) => region,
        None => Region::parse(config.region().ok_or(AuthError::NoRegion)?.as_ref())?,
    };
    // The default chain would prefer the environment's credentials to those of the profile that the user named.
    let provider = match &options.profile {
        Some(profile) => {
            let client = client.with_region(config.region().cloned());
            let builder = ProfileFileCredentialsProvider::builder().configure(&client).profile_name(profile);
            Some(SharedCredentialsProvider::new(builder.build()))
        }
        None => config.credentials_provider(),
    };
    let provider = provider.ok_or_else(|| AuthError::NoCredentials {
        of_profile: String::new(),
        detail: "there is no source of credentials".to_owned(),
    })?;
    Ok(Source { region, provider })
}

/// The region of the user's configuration, in which roles are assumed; it need not be the target's. Instance
/// metadata, which takes seconds to be absent, is only asked when nothing else names one.
fn configured_region(profile: Option<&str>, known: Option<&Region>, client: &ProviderConfig) -> RegionProviderChain {
    let mut file = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        file = file.profile_name(profile);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(file.build());
    match known {
        Some(region) => chain.or_else(aws_config::Region::new(region.as_str().to_owned())),
        None => chain.or_else(ImdsRegionProvider::builder().configure(client).build()),
    }
}
