//! Python's server under uvicorn: plain HTTP on a port of this machine, without Lambda in front.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::model::PROFILE;
use crate::processes;

/// How long it may take until it accepts a connection, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(1);
/// Waits for the end of this process, and then ends the server with all that it started, which uvicorn's workers
/// otherwise outlive.
const GUARD: &str = r#"read -r _; kill -s KILL -- "-$1""#;

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("Python's server in {}: {source}; install it with `load/peers/install target/peers`", folder.display())]
    Start { folder: PathBuf, source: io::Error },
    #[error("Python's server ended with {0} before it served; install it with `load/peers/install target/peers`")]
    Ended(std::process::ExitStatus),
    #[error("Python's server accepted no connection within {} s", PATIENCE.as_secs())]
    Late,
    #[error("Python's server did not end within {} s of being killed", PATIENCE.as_secs())]
    Endless,
}

/// A server that accepts connections.
pub(crate) struct Server {
    address: SocketAddr,
    group: Pid,
    process: Child,
    guard: Child,
    ready_after: Duration,
}

impl Server {
    /// Starts it with as many workers as there are replies at once, but no more than cores: Python's own lock leaves a
    /// process one core.
    pub(crate) async fn start(
        (folder, program): &(PathBuf, OsString),
        bedrock: SocketAddr,
        marker: &processes::Marker,
        replies: NonZeroUsize,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Start { folder: folder.clone(), source };
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let port = free_port().await.map_err(failed)?;
        let started = Instant::now();
        let mut process = Command::new(program)
            .args(["-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .arg("--workers")
            .arg(replies.min(cores).to_string())
            .current_dir(folder)
            .env("PYTHONPATH", "packages")
            .env("MODEL_ID", PROFILE)
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://{bedrock}"))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "ASIALOCALSTANDIN0000")
            .env("AWS_SECRET_ACCESS_KEY", "local-stand-in-secret-access-key")
            .env("AWS_SESSION_TOKEN", "local-stand-in-session-token")
            .env(processes::VARIABLE, marker.value())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let group = process.id().and_then(|id| id.try_into().ok()).and_then(Pid::from_raw);
        let group = group.ok_or_else(|| failed(io::Error::other("the process has no id")))?;
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "sh"])
            .arg(group.as_raw_nonzero().to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let accepts = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(PAUSE).await;
            }
        };
        tokio::select! {
            status = process.wait() => Err(status.map_or_else(failed, Error::Ended)),
            accepted = timeout(PATIENCE, accepts) => match accepted {
                Ok(()) => Ok(Self { address, group, process, guard, ready_after: started.elapsed() }),
                Err(_) => Err(Error::Late),
            },
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From the start of its process until it accepted a connection.
    pub(crate) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Ends it with its workers.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        // Each fails where there is nobody left. The guard goes first: later its group's id may be another's.
        let _ = self.guard.start_kill();
        let _ = kill_process_group(self.group, Signal::KILL);
        let ended = async { tokio::join!(self.guard.wait(), self.process.wait()) };
        let _ = timeout(PATIENCE, ended).await.map_err(|_| Error::Endless)?;
        Ok(())
    }
}

/// A port that nobody listens on now. Another process may take it before the server does, which then ends at once.
async fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port())
}
