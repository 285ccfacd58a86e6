//! The sandboxes of one function: which exist, which is free, and whether there may be another.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::failure::Failure;
use crate::function::Function;
use crate::invocation::{Invocation, Pending, Reply};
use crate::logs::Logs;
use crate::runtime_api::Exchange;
use crate::sandbox;

mod roster;

pub(crate) use roster::{Number, Roster};

/// How long sandboxes may take to end at shutdown. They are killed, so this is never used up.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);

/// Every sandbox is busy, and there may be no more.
pub(crate) struct Throttled;

/// Starts, chooses and ends the sandboxes.
pub(crate) struct Fleet {
    function: Arc<Function>,
    roster: Arc<Roster>,
    logs: Arc<Logs>,
    supervisors: TaskTracker,
    shutdown: CancellationToken,
}

impl Fleet {
    pub(crate) fn new(function: Function, sandboxes: NonZeroUsize, logs: Arc<Logs>) -> Self {
        Self {
            function: Arc::new(function),
            roster: Arc::new(Roster::new(sandboxes)),
            logs,
            supervisors: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Runs an invocation in a sandbox and returns its reply, or why there is none.
    ///
    /// To drop the future does not stop the invocation: a function is not told that its client
    /// has gone.
    pub(crate) async fn invoke(&self, invocation: Invocation) -> Result<Result<Reply, Failure>, Throttled> {
        let (reply, replied) = oneshot::channel();
        let mut pending = Pending { invocation, reply };
        // A sandbox that dies while it is idle hands the invocation back: the next one is tried.
        while let Err(returned) = self.claim().await?.invoke(pending) {
            pending = returned;
        }
        Ok(replied.await.unwrap_or_else(|_| Err(Failure::shut_down())))
    }

    async fn claim(&self) -> Result<Arc<Exchange>, Throttled> {
        match self.roster.claim().await {
            Some(exchange) => Ok(exchange),
            None => self.start(),
        }
    }

    fn start(&self) -> Result<Arc<Exchange>, Throttled> {
        let function = &self.function;
        let (exchange, limit) = self
            .roster
            .enlist(|number| Exchange::new(number, function, Arc::clone(&self.roster), Arc::clone(&self.logs)))
            .ok_or(Throttled)?;
        let supervised = sandbox::supervise(Arc::clone(&exchange), Arc::clone(function), limit, self.shutdown.clone());
        let ended = Arc::clone(&exchange);
        self.supervisors.spawn(async move { ended.close(supervised.await) });
        Ok(exchange)
    }

    /// Ends every sandbox and waits until its process is gone.
    pub(crate) async fn shut_down(&self) {
        self.shutdown.cancel();
        self.supervisors.close();
        // Past the limit the processes' guards do the rest.
        let _ = tokio::time::timeout(SHUTDOWN_LIMIT, self.supervisors.wait()).await;
    }
}
