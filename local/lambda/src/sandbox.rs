//! One sandbox: a process of the function, its Runtime API endpoint, and the limits it is held to.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::function::Function;
use crate::program_watch::ProgramWatch;
use crate::runtime_api::{Exchange, Limit, serve_connection};

mod guard;
mod output;
mod process_group;

use guard::Guard;
pub(crate) use process_group::ProcessGroup;

/// How long the last log lines of a process that has ended may take to be read. Only a descendant
/// that left the process group can hold its pipes open longer.
const LAST_LINES: Duration = Duration::from_millis(200);
/// The pause after a failed accept: out of file descriptors, and trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a process may take to end by itself after SIGTERM: Lambda's figure where an internal extension is
/// registered. Where none is, there is no SIGTERM.
const GRACE: Duration = Duration::from_millis(500);

/// Runs a sandbox to its end, whatever that is, and says why it ended. No process is left then.
pub(crate) async fn supervise(
    exchange: Arc<Exchange>,
    mut limit: watch::Receiver<Limit>,
    program: Option<ProgramWatch>,
    shutdown: CancellationToken,
) -> Failure {
    loop {
        if let Some(program) = &program {
            tokio::select! {
                () = program.settled() => {}
                () = shutdown.cancelled() => return Failure::shut_down(),
            }
        }
        exchange.starts();
        let failure = match Sandbox::start(&exchange).await {
            Ok(sandbox) => sandbox.supervise(&exchange, &mut limit, &shutdown).await,
            Err(error) => Failure::not_started(&error),
        };
        if !exchange.tries_again(&failure) {
            return failure;
        }
    }
}

struct Sandbox {
    listener: TcpListener,
    process: Child,
    group: ProcessGroup,
    /// Ends the process if the stand-in itself is killed.
    _guard: Guard,
    /// The readers of the process's output.
    readers: JoinSet<()>,
}

impl Sandbox {
    async fn start(exchange: &Arc<Exchange>) -> io::Result<Self> {
        let function = exchange.function();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = listener.local_addr()?.to_string();
        let log_stream = format!("local/[$LATEST]{:032x}", exchange.number());
        let mut process = Command::new(function.program())
            .args(function.arguments())
            .current_dir(function.task_root())
            .env_clear()
            .envs(function.environment(&endpoint, &log_stream))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own keeps the terminal's Ctrl-C away from the process, and lets its
            // descendants be killed with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = process
            .id()
            .and_then(|id| id.try_into().ok())
            .and_then(Pid::from_raw)
            .map(ProcessGroup::led_by)
            .ok_or_else(|| io::Error::other("the process has no id"))?;
        let guard = Guard::start(group.leader())?;
        exchange.runs_in(group);
        let mut readers = JoinSet::new();
        if let Some(stdout) = process.stdout.take() {
            readers.spawn(output::read(stdout, Arc::clone(exchange)));
        }
        if let Some(stderr) = process.stderr.take() {
            readers.spawn(output::read(stderr, Arc::clone(exchange)));
        }
        Ok(Self { listener, process, group, _guard: guard, readers })
    }

    async fn supervise(
        mut self,
        exchange: &Arc<Exchange>,
        limit: &mut watch::Receiver<Limit>,
        shutdown: &CancellationToken,
    ) -> Failure {
        let mut connections = JoinSet::new();
        let failure = loop {
            let current = *limit.borrow_and_update();
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((connection, _)) => {
                        // Without it a streamed answer waits for delayed ACKs of some 40 ms.
                        let _ = connection.set_nodelay(true);
                        connections.spawn(serve_connection(connection, Arc::clone(exchange)));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
                status = self.process.wait() => break Failure::exited(status),
                failure = expired(current, exchange.function()) => break failure,
                Ok(()) = limit.changed() => {}
                failure = exchange.retired() => break failure,
                () = shutdown.cancelled() => break Failure::shut_down(),
            }
        };
        if !exchange.may_start_again(&failure) {
            exchange.withdraw();
        }
        let grace = if failure.is_wanted() && exchange.extensions().any() { GRACE } else { Duration::ZERO };
        self.end(grace).await;
        failure
    }

    /// Gives the process time to end by itself, kills what is left of its group, and reads the last lines.
    async fn end(mut self, grace: Duration) {
        if !grace.is_zero() {
            self.group.terminate();
            let _ = tokio::time::timeout(grace, self.process.wait()).await;
        }
        self.group.kill();
        let _: io::Result<ExitStatus> = self.process.wait().await;
        let last_lines = async { while self.readers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_LINES, last_lines).await;
    }
}

async fn expired(limit: Limit, function: &Function) -> Failure {
    match limit {
        Limit::Init(at) => {
            tokio::time::sleep_until(at).await;
            Failure::init_timed_out(function.init_limit())
        }
        Limit::Invocation(at) => {
            tokio::time::sleep_until(at).await;
            Failure::timed_out(function.invocation_limit())
        }
        Limit::None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use tokio::time::Instant;

    use super::*;
    use crate::config::SandboxSettings;
    use crate::fleet::Roster;
    use crate::logs::{Logs, Sinks};

    #[tokio::test(start_paused = true)]
    async fn a_sandbox_that_waits_for_its_program_ends_at_shutdown() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("bootstrap");
        std::fs::write(&program, "old").expect("a file");
        let watch = ProgramWatch::start(vec![program.clone()], || ());
        std::fs::remove_file(&program).expect("a file");

        let logs = Arc::new(Logs::open(Sinks::default()).expect("no file to open"));
        let roster = Arc::new(Roster::new(NonZeroUsize::MIN));
        let function = Arc::new(Function::new(program));
        let (exchange, limit) = Exchange::new(1, function, SandboxSettings::default(), roster, logs);
        let shutdown = CancellationToken::new();
        let began = Instant::now();
        let pause = Duration::from_millis(50);
        let (failure, ()) = tokio::join!(supervise(exchange, limit, Some(watch), shutdown.clone()), async {
            tokio::time::sleep(pause).await;
            shutdown.cancel();
        });
        assert_eq!(failure, Failure::shut_down());
        assert!(began.elapsed() < 2 * pause, "{:?}", began.elapsed());
    }
}
