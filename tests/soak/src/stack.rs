//! The function as it is deployed between its two stand-ins, on ports of its own.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use local_bedrock::Guardrail;
use local_lambda::Function;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::fixed::KEY_DIGEST;
use crate::marker::Marker;
use crate::script::{BLOCKED, Script};

const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
/// How long the stand-ins may take to end.
const END: Duration = Duration::from_secs(10);

/// Why there is nothing to test.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the function {}: {source}; build it with `make build`", path.display())]
    Function { path: PathBuf, source: io::Error },
    #[error("a port of this machine: {0}")]
    Port(#[from] io::Error),
}

/// Everything that runs.
pub(crate) struct Stack {
    url: String,
    program: PathBuf,
    /// Where the program is; removed with the stack.
    _folder: TempDir,
    stop: [oneshot::Sender<()>; 2],
    stand_ins: [(&'static str, JoinHandle<io::Result<()>>); 2],
}

impl Stack {
    /// Starts all of it, and gives the function's log lines.
    pub(crate) async fn start(
        function: &Path,
        sandboxes: NonZeroUsize,
    ) -> Result<(Self, UnboundedReceiver<String>), Error> {
        let (folder, program) =
            copy(function).map_err(|source| Error::Function { path: function.to_owned(), source })?;
        let (url, bedrock) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);

        let function = Function::new(&program)
            .env("MODEL_ID", PROFILE)
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://{}", bedrock.local_addr()?))
            .env("API_KEY_SHA256", KEY_DIGEST);
        let (sender, lines) = unbounded_channel();
        let lambda = local_lambda::Config::new(function).sandboxes(sandboxes).log_lines(sender);
        let model = local_bedrock::Config::new(Arc::new(Script))
            .with_guardrail(Guardrail::new().blocked_input(BLOCKED).blocked_output(BLOCKED))
            .with_fault_for(|prompt| Marker::of(prompt).and_then(|marker| marker.fault));

        let address = format!("http://{}", url.local_addr()?);
        let (stop_lambda, lambda_stops) = oneshot::channel();
        let (stop_bedrock, bedrock_stops) = oneshot::channel();
        let lambda = tokio::spawn(local_lambda::run(url, lambda, ended(lambda_stops)));
        let bedrock = tokio::spawn(local_bedrock::run(bedrock, model, ended(bedrock_stops)));
        let stand_ins = [("the function URL", lambda), ("Bedrock", bedrock)];
        let stop = [stop_lambda, stop_bedrock];
        Ok((Self { url: address, program, _folder: folder, stop, stand_ins }, lines))
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The program whose processes are the function's.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Ends everything, the function first. What is wrong is that a stand-in had failed, or does not end.
    pub(crate) async fn stop(self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (stop, (name, stand_in)) in self.stop.into_iter().zip(self.stand_ins) {
            drop(stop);
            match timeout(END, stand_in).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => wrong.push(format!("the stand-in for {name} failed: {error}")),
                Ok(Err(error)) => wrong.push(format!("the stand-in for {name} broke: {error}")),
                Err(_) => wrong.push(format!("the stand-in for {name} did not end within {} s", END.as_secs())),
            }
        }
        wrong
    }
}

/// A copy of the program, so that a build in the meantime changes nothing, and so that its processes are known by it.
fn copy(function: &Path) -> io::Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().canonicalize()?.join("bro-buddy");
    std::fs::copy(function, &program)?;
    Ok((folder, program))
}

async fn ended(stop: oneshot::Receiver<()>) {
    // Also when its sender is dropped.
    let _ = stop.await;
}
