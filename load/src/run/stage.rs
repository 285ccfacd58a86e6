//! How far a run has come, told to everything that takes part in it.

use std::sync::Arc;

use tokio::sync::watch;

/// The stages in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Requests are started.
    Issuing,
    /// No more are; those that were due end.
    Draining,
    /// What has not ended is given up.
    Over,
}

/// A run's stage, which only goes forward.
#[derive(Debug, Clone)]
pub(super) struct Stages(Arc<watch::Sender<Stage>>);

impl Default for Stages {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Issuing)))
    }
}

impl Stages {
    pub(super) fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let further = stage > *now;
            *now = stage.max(*now);
            further
        });
    }

    pub(super) fn has_reached(&self, stage: Stage) -> bool {
        *self.0.borrow() >= stage
    }

    /// Completes when the run is at this stage or further.
    pub(super) async fn reached(&self, stage: Stage) {
        // The sender lives in `self`, so that this cannot end otherwise.
        let _ = self.0.subscribe().wait_for(|now| *now >= stage).await;
    }
}
