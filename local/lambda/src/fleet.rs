//! The sandboxes of one function: which exist, which is free, and whether there may be another.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{SandboxSettings, Watching};
use crate::failure::Failure;
use crate::function::Function;
use crate::invocation::{Invocation, NoReply, Pending, Reply};
use crate::logs::Logs;
use crate::program_watch::ProgramWatch;
use crate::runtime_api::Exchange;
use crate::sandbox;

mod roster;

pub(crate) use roster::{Number, Roster};

/// How long sandboxes may take to end at shutdown. They are killed after their grace, so this is never used up.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

/// Every sandbox is busy, and there may be no more.
pub(crate) struct Throttled;

/// Starts, chooses and ends the sandboxes.
pub(crate) struct Fleet {
    function: Arc<Function>,
    settings: SandboxSettings,
    program: Option<ProgramWatch>,
    roster: Arc<Roster>,
    logs: Arc<Logs>,
    supervisors: TaskTracker,
    shutdown: CancellationToken,
}

impl Fleet {
    pub(crate) fn new(
        function: Function,
        sandboxes: NonZeroUsize,
        settings: SandboxSettings,
        watching: Watching,
        logs: Arc<Logs>,
    ) -> Self {
        let roster = Arc::new(Roster::new(sandboxes));
        let program = match watching {
            Watching::Off => None,
            Watching::Program => {
                let (roster, logs) = (Arc::clone(&roster), Arc::clone(&logs));
                Some(ProgramWatch::start(function.files(), move || replace_all(&roster, &logs)))
            }
        };
        Self {
            function: Arc::new(function),
            settings,
            program,
            roster,
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
        match self.invoke_once(invocation).await? {
            Err(NoReply::Undelivered(invocation)) => match self.invoke_once(invocation).await? {
                Ok(reply) => Ok(Ok(reply)),
                Err(NoReply::Failed(failure)) => Ok(Err(failure)),
                // Twice in a row is no accident.
                Err(NoReply::Undelivered(_)) => Ok(Err(Failure::undelivered())),
            },
            Err(NoReply::Failed(failure)) => Ok(Err(failure)),
            Ok(reply) => Ok(Ok(reply)),
        }
    }

    async fn invoke_once(&self, invocation: Invocation) -> Result<Result<Reply, NoReply>, Throttled> {
        let (reply, replied) = oneshot::channel();
        let mut pending = Pending { invocation, reply };
        // A sandbox that dies while it is idle hands the invocation back: the next one is tried.
        while let Err(returned) = self.claim().await?.invoke(pending) {
            pending = returned;
        }
        Ok(replied.await.unwrap_or_else(|_| Err(NoReply::Failed(Failure::shut_down()))))
    }

    async fn claim(&self) -> Result<Arc<Exchange>, Throttled> {
        match self.roster.claim().await {
            Some(exchange) => Ok(exchange),
            None => self.start(),
        }
    }

    fn start(&self) -> Result<Arc<Exchange>, Throttled> {
        let make = |number| {
            let (function, roster, logs) = (&self.function, &self.roster, &self.logs);
            Exchange::new(number, Arc::clone(function), self.settings, Arc::clone(roster), Arc::clone(logs))
        };
        let (exchange, limit) = self.roster.enlist(make).ok_or(Throttled)?;
        let (program, shutdown) = (self.program.clone(), self.shutdown.clone());
        let supervised = sandbox::supervise(Arc::clone(&exchange), limit, program, shutdown);
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

/// Lets every sandbox end as soon as it has nothing to do.
fn replace_all(roster: &Roster, logs: &Logs) {
    logs.replaced();
    for exchange in roster.all() {
        exchange.retire(Failure::replaced());
    }
}
