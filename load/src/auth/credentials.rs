//! Credentials kept for the length of a run: fetched before the first request, and again before they expire.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use super::AuthError;

/// The longest wait for a source: an identity provider, instance metadata, a helper program.
const LONGEST_FETCH: Duration = Duration::from_secs(30);

/// How long before they expire credentials are fetched again, while requests go on with the old ones.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// The least time between two fetches, so that a broken source is not asked once a request.
const LEAST_PAUSE: Duration = Duration::from_secs(10);

/// The credentials and where they come from; a clone is the same.
#[derive(Clone)]
pub(super) struct KeptCredentials(Arc<Kept>);

struct Kept {
    provider: SharedCredentialsProvider,
    profile: Option<String>,
    held: RwLock<Credentials>,
    /// Held during a fetch, so that there is one at a time.
    last_fetch: Arc<Mutex<Fetch>>,
}

struct Fetch {
    at: Instant,
    failure: Option<AuthError>,
}

/// What is left of credentials' life.
#[derive(Debug, PartialEq, Eq)]
enum Life {
    Long,
    Short,
    Over,
}

impl KeptCredentials {
    /// # Errors
    /// What the source says, or that it said nothing in time.
    pub(super) async fn fetch(provider: SharedCredentialsProvider, profile: Option<String>) -> Result<Self, AuthError> {
        let credentials = fetch(&provider, profile.as_deref()).await?;
        let last_fetch = Arc::new(Mutex::new(Fetch { at: Instant::now(), failure: None }));
        Ok(Self(Arc::new(Kept { provider, profile, held: RwLock::new(credentials), last_fetch })))
    }

    /// Credentials that are good now. Only expired ones are waited for.
    ///
    /// # Errors
    /// As [`KeptCredentials::fetch`], if there are none that have not expired.
    pub(super) async fn current(&self) -> Result<Credentials, AuthError> {
        let held = self.held();
        match life(&held) {
            Life::Long => Ok(held),
            Life::Short => {
                if let Ok(mut last) = self.0.last_fetch.clone().try_lock_owned() {
                    let kept = self.clone();
                    // A failure is told when the old credentials are of no use any more.
                    tokio::spawn(async move { kept.renew(&mut last).await.ok() });
                }
                Ok(held)
            }
            Life::Over => self.renew(&mut *self.0.last_fetch.lock().await).await,
        }
    }

    /// Fetches again, unless that was just done: by whoever held the lock before, or in vain.
    async fn renew(&self, last: &mut Fetch) -> Result<Credentials, AuthError> {
        let due = match life(&self.held()) {
            Life::Long => false,
            Life::Over if last.failure.is_none() => true,
            Life::Short | Life::Over => last.at.elapsed() >= LEAST_PAUSE,
        };
        if due {
            let fetched = fetch(&self.0.provider, self.0.profile.as_deref()).await;
            *last = Fetch { at: Instant::now(), failure: fetched.as_ref().err().cloned() };
            if let Ok(credentials) = fetched {
                *self.0.held.write().unwrap_or_else(PoisonError::into_inner) = credentials;
            }
        }
        let held = self.held();
        match (life(&held), &last.failure) {
            (Life::Over, Some(failure)) => Err(failure.clone()),
            (Life::Over, None) => Err(AuthError::expired(self.0.profile.as_deref())),
            _ => Ok(held),
        }
    }

    fn held(&self) -> Credentials {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn fetch(provider: &SharedCredentialsProvider, profile: Option<&str>) -> Result<Credentials, AuthError> {
    let fetched = tokio::time::timeout(LONGEST_FETCH, provider.provide_credentials())
        .await
        .map_err(|_elapsed| AuthError::TimedOut(LONGEST_FETCH))?;
    let credentials = fetched.map_err(|error| AuthError::from_provider(&error, profile))?;
    match life(&credentials) {
        Life::Over => Err(AuthError::expired(profile)),
        Life::Long | Life::Short => Ok(credentials),
    }
}

fn life(credentials: &Credentials) -> Life {
    let Some(expiry) = credentials.expiry() else { return Life::Long };
    match expiry.duration_since(SystemTime::now()) {
        Err(_) => Life::Over,
        Ok(left) if left.is_zero() => Life::Over,
        Ok(left) if left < RENEW_BEFORE => Life::Short,
        Ok(_) => Life::Long,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::provider::{self, error::CredentialsError, future};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A source that gives one answer after the other, the last one for ever, and counts how often it is asked.
    #[derive(Debug, Clone)]
    struct Script {
        answers: Arc<Vec<Answer>>,
        asked: Arc<AtomicUsize>,
    }

    #[derive(Debug, Clone, Copy)]
    enum Answer {
        /// Good for so long.
        Good(Duration),
        Expired,
        Broken,
        Silent,
    }

    impl Script {
        fn new(answers: impl Into<Vec<Answer>>) -> Self {
            Self { answers: Arc::new(answers.into()), asked: Arc::default() }
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        async fn kept(&self) -> Result<KeptCredentials, AuthError> {
            KeptCredentials::fetch(SharedCredentialsProvider::new(self.clone()), Some("work".to_owned())).await
        }

        async fn answer(&self) -> provider::Result {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let credentials =
                |expiry| Credentials::new(format!("AKID{number}"), "secret", None, Some(expiry), "script");
            match self.answers[number.min(self.answers.len() - 1)] {
                Answer::Good(left) => Ok(credentials(SystemTime::now() + left)),
                Answer::Expired => Ok(credentials(SystemTime::now() - HOUR)),
                Answer::Broken => Err(CredentialsError::provider_error("the\nsign-in is over")),
                Answer::Silent => std::future::pending().await,
            }
        }
    }

    impl ProvideCredentials for Script {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(self.answer())
        }
    }

    #[tokio::test]
    async fn credentials_are_fetched_once_for_many_requests() {
        let script = Script::new([Answer::Good(HOUR)]);
        let kept = script.kept().await.unwrap();
        for _ in 0..100 {
            assert_eq!(kept.current().await.unwrap().access_key_id(), "AKID0");
        }
        assert_eq!(script.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_go_on_with_the_old_credentials_while_new_ones_come() {
        let script = Script::new([Answer::Good(RENEW_BEFORE / 2), Answer::Good(HOUR)]);
        let kept = script.kept().await.unwrap();
        kept.forget_the_pause().await;
        assert_eq!(kept.current().await.unwrap().access_key_id(), "AKID0");
        tokio::task::yield_now().await;
        assert_eq!(kept.current().await.unwrap().access_key_id(), "AKID1");
        assert_eq!(script.asked(), 2);
    }

    #[tokio::test]
    async fn expired_credentials_are_fetched_by_one_of_the_requests_that_wait() {
        let script = Script::new([Answer::Good(HOUR), Answer::Good(HOUR)]);
        let kept = script.kept().await.unwrap();
        kept.expire();
        let waiting = (0..50).map(|_| kept.current());
        for credentials in futures::future::join_all(waiting).await {
            assert_eq!(credentials.unwrap().access_key_id(), "AKID1");
        }
        assert_eq!(script.asked(), 2);
    }

    #[tokio::test]
    async fn a_broken_source_does_not_matter_before_the_old_credentials_expire_and_is_not_asked_at_every_request() {
        let script = Script::new([Answer::Good(RENEW_BEFORE / 2), Answer::Broken]);
        let kept = script.kept().await.unwrap();
        kept.forget_the_pause().await;
        for _ in 0..20 {
            assert_eq!(kept.current().await.unwrap().access_key_id(), "AKID0");
            tokio::task::yield_now().await;
        }
        kept.expire();
        for _ in 0..20 {
            let error = kept.current().await.unwrap_err().to_string();
            assert!(error.contains("of profile `work`") && error.contains("the sign-in is over"), "{error}");
            assert!(error.contains("`aws sso login --profile work`"), "{error}");
        }
        assert_eq!(script.asked(), 2);
    }

    #[tokio::test]
    async fn a_source_that_gives_expired_credentials_is_named_as_the_fault() {
        let error = Script::new([Answer::Expired]).kept().await.err().unwrap();
        assert!(matches!(error, AuthError::Expired { .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_never_answers_is_not_waited_for_for_ever() {
        let error = Script::new([Answer::Silent]).kept().await.err().unwrap();
        assert_eq!(error, AuthError::TimedOut(LONGEST_FETCH));
    }

    impl KeptCredentials {
        async fn forget_the_pause(&self) {
            let mut last = self.0.last_fetch.lock().await;
            last.at = last.at.checked_sub(LEAST_PAUSE).unwrap();
        }

        fn expire(&self) {
            *self.0.held.write().unwrap().expiry_mut() = Some(SystemTime::now() - HOUR);
        }
    }
}
