//! What a stand-in is started with.

use std::{sync::Arc, time::Duration};

use crate::{Fault, Faults, Generator, Journal};

/// How a stand-in answers. Cheap to clone: the handles inside are shared.
#[derive(Clone)]
pub struct Config {
    pub(crate) generator: Arc<dyn Generator>,
    pub(crate) faults: Faults,
    pub(crate) journal: Option<Journal>,
    pub(crate) shutdown_grace: Duration,
}

impl Config {
    /// A stand-in that says what `generator` generates, without a fault.
    pub fn new(generator: Arc<dyn Generator>) -> Self {
        Self { generator, faults: Faults::default(), journal: None, shutdown_grace: Duration::from_secs(1) }
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
