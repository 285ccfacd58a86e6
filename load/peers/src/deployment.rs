//! One arm, running and ready to be asked: behind the stand-in for Lambda, as a server, or Bedrock itself.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use local_lambda::Function;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::arm::Arm;
use crate::model::{PROFILE, Paced};
use crate::processes::{self, Marker, Processes};
use crate::server::{self, Server};

/// What a process may take to start: fifty at once on two cores take longer than Lambda's 10 s.
const START: Duration = Duration::from_secs(90);
/// How long a stand-in may take to end.
const END: Duration = Duration::from_secs(10);

/// Why an arm does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{arm} needs {}: {source}; {remedy}", path.display())]
    Missing { arm: Arm, path: PathBuf, source: io::Error, remedy: &'static str },
    #[error("a port of this machine: {0}")]
    Port(#[from] io::Error),
    #[error(transparent)]
    Server(#[from] server::Error),
    #[error("the stand-in for Lambda did not end within {} s", END.as_secs())]
    Endless,
    #[error("the stand-in for Lambda: {0}")]
    Lambda(io::Error),
    #[error("the stand-in for Lambda broke: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) bro_buddy: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) rust: PathBuf,
    /// The folder with Node.js's function, and the program to run it with.
    pub(crate) node: (PathBuf, OsString),
    /// The folder with Python's server, and the program to run it with.
    pub(crate) python: (PathBuf, OsString),
}

/// The stand-in for Bedrock, which all arms share.
pub(crate) struct Bedrock {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Bedrock {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let config = local_bedrock::Config::new(Arc::new(Paced));
        tokio::spawn(local_bedrock::run(listener, config, ended(stopped)));
        Ok(Self { address, _stop: stop })
    }

    #[cfg(test)]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An arm that runs.
pub(crate) struct Deployment {
    arm: Arm,
    address: SocketAddr,
    marker: Marker,
    running: Running,
}

enum Running {
    Bedrock,
    Lambda { stop: oneshot::Sender<()>, served: JoinHandle<io::Result<()>> },
    Server(Box<Server>),
}

/// Lambda's own log lines of one deployment.
pub(crate) type PlatformLog = UnboundedReceiver<String>;

/// How an arm is to run.
struct Terms {
    sandboxes: NonZeroUsize,
    /// Where Lambda's own log lines go. Writing them takes time, which a comparison of replies is spared.
    log: Option<UnboundedSender<String>>,
}

impl Deployment {
    /// Makes sure of an arm's programs and serves it with so many sandboxes at most. Lambda's processes start when
    /// they are asked for.
    pub(crate) async fn start(
        arm: Arm,
        programs: &Programs,
        bedrock: &Bedrock,
        sandboxes: NonZeroUsize,
    ) -> Result<Self, Error> {
        Self::launch(arm, programs, bedrock, Terms { sandboxes, log: None }).await
    }

    /// The same with one sandbox, and with Lambda's own log lines, which say how long a start took.
    pub(crate) async fn start_watched(
        arm: Arm,
        programs: &Programs,
        bedrock: &Bedrock,
    ) -> Result<(Self, PlatformLog), Error> {
        let (sender, log) = unbounded_channel();
        let terms = Terms { sandboxes: NonZeroUsize::MIN, log: Some(sender) };
        Ok((Self::launch(arm, programs, bedrock, terms).await?, log))
    }

    async fn launch(arm: Arm, programs: &Programs, bedrock: &Bedrock, terms: Terms) -> Result<Self, Error> {
        let marker = Marker::new(next_number());
        let (function, path, remedy) = match arm {
            Arm::Direct => return Ok(Self { arm, address: bedrock.address, marker, running: Running::Bedrock }),
            Arm::Python => {
                let server = Server::start(&programs.python, bedrock.address, &marker, terms.sandboxes).await?;
                return Ok(Self { arm, address: server.address(), marker, running: Running::Server(Box::new(server)) });
            }
            Arm::Floor => (
                Function::new(&programs.floor),
                &programs.floor,
                "build it with `cargo build --profile local -p peers`",
            ),
            Arm::BroBuddy => (Function::new(&programs.bro_buddy), &programs.bro_buddy, "build it with `make build`"),
            Arm::Rust => {
                (Function::new(&programs.rust), &programs.rust, "build it with `cargo build --release -p peer-rust`")
            }
            Arm::Node => {
                let (folder, program) = &programs.node;
                let function = Function::new(folder.join("bootstrap")).env("NODE", program);
                (function, folder, "install it with `load/peers/install target/peers`")
            }
        };
        let found = function.resolve();
        let function = found.map_err(|source| Error::Missing { arm, path: path.clone(), source, remedy })?;
        let (address, running) = serve(function, bedrock, &marker, terms).await?;
        Ok(Self { arm, address, marker, running })
    }

    pub(crate) fn arm(&self) -> Arm {
        self.arm
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From the start of its process until it took connections; none where a request starts it.
    pub(crate) fn ready_after(&self) -> Option<Duration> {
        match &self.running {
            Running::Server(server) => Some(server.ready_after()),
            Running::Bedrock | Running::Lambda { .. } => None,
        }
    }

    /// What its processes use at this moment.
    pub(crate) fn usage(&self) -> Processes {
        processes::of(&self.marker)
    }

    /// Ends it, and waits until its processes are gone.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        match self.running {
            Running::Bedrock => Ok(()),
            Running::Lambda { stop, served } => {
                drop(stop);
                timeout(END, served).await.map_err(|_| Error::Endless)??.map_err(Error::Lambda)
            }
            Running::Server(server) => Ok(server.stop().await?),
        }
    }
}

/// Serves a function behind the stand-in for Lambda.
async fn serve(
    function: Function,
    bedrock: &Bedrock,
    marker: &Marker,
    terms: Terms,
) -> io::Result<(SocketAddr, Running)> {
    let function = function
        .env("MODEL_ID", PROFILE)
        .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://{}", bedrock.address))
        .env(processes::VARIABLE, marker.value())
        .init_timeout(START);
    let mut lambda = local_lambda::Config::new(function).sandboxes(terms.sandboxes);
    if let Some(log) = terms.log {
        lambda = lambda.log_lines(log).platform_logs();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(local_lambda::run(listener, lambda, ended(stopped)));
    Ok((address, Running::Lambda { stop, served }))
}

/// A number that no other deployment of this process has.
fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

async fn ended(stop: oneshot::Receiver<()>) {
    // Also when its sender is dropped.
    let _ = stop.await;
}
