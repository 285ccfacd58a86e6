//! What a stand-in is started with.

use std::{sync::Arc, time::Duration};

use local_signature::Credentials;

use crate::{Fault, Faults, Generator, Guardrail, Journal, Network, Prompt, signature::Gate};

/// Chooses a request's fault by what it asks.
type FaultRule = dyn Fn(&Prompt) -> Option<Fault> + Send + Sync;

/// How a stand-in answers. Cheap to clone: the handles inside are shared.
#[derive(Clone)]
pub struct Config {
    pub(crate) generator: Arc<dyn Generator>,
    pub(crate) faults: Faults,
    pub(crate) fault_rule: Option<Arc<FaultRule>>,
    pub(crate) network: Network,
    pub(crate) guardrail: Arc<Guardrail>,
    pub(crate) gate: Gate,
    pub(crate) journal: Option<Journal>,
    pub(crate) shutdown_grace: Duration,
}

impl Config {
    /// A stand-in that says what `generator` generates, without a fault.
    pub fn new(generator: Arc<dyn Generator>) -> Self {
        Self {
            generator,
            faults: Faults::default(),
            fault_rule: None,
            network: Network::default(),
            guardrail: Arc::default(),
            gate: Gate::default(),
            journal: None,
            shutdown_grace: Duration::from_secs(1),
        }
    }

    /// Fails every request with `fault` from the start. The same as `set` on the [`Faults`] in use.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        self.faults.set(Some(fault));
        self
    }

    /// Takes its faults from `faults`, so that the holder of another clone can switch them while it runs.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Fails each request as `rule` says of its prompt, where neither its header nor [`Faults`] names a fault: for
    /// many requests at once that must fail each in its own way, however often a client tries them again.
    #[must_use]
    pub fn with_fault_for(mut self, rule: impl Fn(&Prompt) -> Option<Fault> + Send + Sync + 'static) -> Self {
        self.fault_rule = Some(Arc::new(rule));
        self
    }

    /// Takes the network's faults from `network`, so that the holder of another clone can switch them while it runs.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// The switch of its faults.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The switch of the network's faults.
    pub fn network(&self) -> Network {
        self.network.clone()
    }

    /// Denies what `guardrail` denies, for requests that ask for a guardrail. Without this call it is
    /// [`Guardrail::default`].
    #[must_use]
    pub fn with_guardrail(mut self, guardrail: Guardrail) -> Self {
        self.guardrail = Arc::new(guardrail);
        self
    }

    /// Verifies every signature against `credentials`, as AWS does: another key, secret, token, region or time, or a
    /// request that was changed on its way, is refused with AWS's own error. Without this call a signature's scope
    /// alone is looked at, and with it a bearer token is refused unless it is [known](Self::with_bearer_token).
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.gate.know_credentials(credentials);
        self
    }

    /// Lets in who shows the Bedrock API key `token` as a bearer token. Without this call any will do; with it a
    /// signature is refused unless its credentials are [known](Self::with_credentials).
    #[must_use]
    pub fn with_bearer_token(mut self, token: impl Into<String>) -> Self {
        self.gate.know_bearer_token(token.into());
        self
    }

    /// Writes every request down in `journal`. Without one nothing is kept.
    #[must_use]
    pub fn with_journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// How long open replies may go on after shutdown was asked for, before they are cut. One second if not set.
    #[must_use]
    pub fn with_shutdown_grace(mut self, grace: Duration) -> Self {
        self.shutdown_grace = grace;
        self
    }
}
