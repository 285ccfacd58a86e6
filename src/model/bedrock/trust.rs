//! Which certificate authorities vouch for Bedrock.
//!
//! Loading the system's roots, some 140 certificates, is most of a start that does it: 5.5 to 6.8 ms from process
//! start to the first poll, against 1.9 to 2.4 ms with these five (medians of three runs, see BENCHMARKS.md).

use aws_smithy_http_client::tls::TrustStore;

use crate::config::InferenceProfile;

/// The five roots of Amazon Trust Services, which issues the certificates of AWS's own endpoints and recommends
/// exactly these for custom trust stores. Source: amazontrust.com/repository, whose hashes of the public keys
/// they match. The first of them expires at the end of 2037.
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("amazon_trust_services.pem");

/// The roots for an endpoint: none for plain HTTP, Amazon's own where they are known to serve, the system's elsewhere.
pub(super) fn roots(endpoint: Option<&str>, profile: &InferenceProfile) -> TrustStore {
    match (endpoint, profile.partition()) {
        (Some(url), _) if url.starts_with("http://") => TrustStore::empty(),
        (None, "aws" | "aws-us-gov") => TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES),
        // China, the sovereign clouds, and whatever an operator has put in the way.
        _ => TrustStore::default(),
    }
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_roots_are_those_of_amazon_trust_services() {
        let pem = std::str::from_utf8(AMAZON_TRUST_SERVICES).expect("text");
        let fingerprints: Vec<String> = pem
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .map(|rest| rest.split("-----END CERTIFICATE-----").next().expect("an end").split_whitespace().collect())
            .map(|base64: String| STANDARD.decode_to_vec(base64).expect("base64"))
            .map(|der| Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        assert_eq!(
            fingerprints,
            [
                "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
                "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
                "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
                "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
                "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            ]
        );
    }

    #[test]
    fn an_operators_own_endpoint_is_checked_against_the_systems_roots() {
        let arn = |partition: &str| format!("arn:{partition}:bedrock:x-1:123456789012:inference-profile/us.a.b");
        let shown = |endpoint, partition: &str| {
            format!("{:?}", roots(endpoint, &InferenceProfile::parse(&arn(partition)).expect("an ARN")))
        };
        assert!(shown(Some("https://vpce-1.example"), "aws").contains("enable_native_roots: true"));
        assert!(shown(None, "aws-cn").contains("enable_native_roots: true"));
        assert!(shown(None, "aws").contains("enable_native_roots: false"));
    }
}
