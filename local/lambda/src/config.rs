//! How the stand-in is set up: the function, its URL, its sandboxes, where its logs go.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use local_signature::Credentials;
use tokio::sync::mpsc::UnboundedSender;

use crate::bandwidth::Bandwidth;
use crate::cors::Cors;
use crate::function::Function;
use crate::logs::Sinks;
use crate::runtime_api::StreamLimits;

/// Sandboxes at most, unless the caller says otherwise: four.
const DEFAULT_SANDBOXES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
/// Lambda's limit for a streamed answer, in bytes.
const MAX_STREAMED: u64 = 200 * 1024 * 1024;

/// How the function URL invokes its function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InvokeMode {
    /// `RESPONSE_STREAM`: what a function streams goes on as it comes. The answer of a function that does not
    /// stream goes on as it is, as on AWS: a JSON document with its `statusCode` in the body of a 200.
    #[default]
    ResponseStream,
    /// `BUFFERED`: the document of a function that does not stream becomes status, headers and body; what a
    /// function streams is held back until it is complete, 6 MB at most.
    Buffered,
}

/// What a function learns of a client that goes away in the middle of a streamed answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientGone {
    /// Nothing, as on AWS: its answer is read to the end.
    #[default]
    Unnoticed,
    /// The connection on which it streams is cut.
    Cut,
}

/// What happens to a sandbox that waits for its next invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Freezing {
    /// Its processes go on.
    #[default]
    Off,
    /// Its processes are stopped, as Lambda freezes them.
    BetweenInvocations,
}

/// What every sandbox is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SandboxSettings {
    pub(crate) stream_limits: StreamLimits,
    pub(crate) client_gone: ClientGone,
    pub(crate) freezing: Freezing,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            stream_limits: StreamLimits { size: MAX_STREAMED, bandwidth: Bandwidth::lambda() },
            client_gone: ClientGone::default(),
            freezing: Freezing::default(),
        }
    }
}

/// Whether sandboxes are replaced when the function's program changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Watching {
    #[default]
    Off,
    Program,
}

/// Who may call the function URL.
#[derive(Default)]
pub(crate) enum Auth {
    #[default]
    Everyone,
    /// Whoever signs with one of these.
    AwsIam(Vec<Credentials>),
}

/// What the function URL does before and after the function.
#[derive(Default)]
pub(crate) struct UrlSettings {
    pub(crate) invoke_mode: InvokeMode,
    pub(crate) cors: Option<Cors>,
    pub(crate) auth: Auth,
}

/// The set-up of one stand-in, in builder style.
pub struct Config {
    pub(crate) function: Function,
    pub(crate) sandboxes: NonZeroUsize,
    pub(crate) sandbox: SandboxSettings,
    pub(crate) watching: Watching,
    pub(crate) url: UrlSettings,
    pub(crate) sinks: Sinks,
}

impl Config {
    /// A stand-in for `function` with at most four sandboxes and no place for logs.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self {
            function,
            sandboxes: DEFAULT_SANDBOXES,
            sandbox: SandboxSettings::default(),
            watching: Watching::default(),
            url: UrlSettings::default(),
            sinks: Sinks::default(),
        }
    }

    /// How many sandboxes there may be at once: Lambda's reserved concurrency. One more
    /// invocation than this is answered with 429.
    #[must_use]
    pub fn sandboxes(mut self, sandboxes: NonZeroUsize) -> Self {
        self.sandboxes = sandboxes;
        self
    }

    /// How the function URL invokes the function: `RESPONSE_STREAM` without this call.
    #[must_use]
    pub fn invoke_mode(mut self, invoke_mode: InvokeMode) -> Self {
        self.url.invoke_mode = invoke_mode;
        self
    }

    /// The function URL's CORS settings; without this call CORS is the function's own matter.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.url.cors = Some(cors);
        self
    }

    /// `AuthType: AWS_IAM`: only requests signed with one of these credentials, for the service `lambda` and the
    /// function's region, reach the function. Without this call it is `NONE`.
    #[must_use]
    pub fn aws_iam(mut self, credentials: impl IntoIterator<Item = Credentials>) -> Self {
        self.url.auth = Auth::AwsIam(credentials.into_iter().collect());
        self
    }

    /// How fast a streamed answer goes on: Lambda's limit without this call.
    #[must_use]
    pub fn bandwidth(mut self, bandwidth: Bandwidth) -> Self {
        self.sandbox.stream_limits.bandwidth = bandwidth;
        self
    }

    /// How many bytes a streamed answer may have, prelude included: Lambda's 200 MB without this call.
    #[must_use]
    pub fn streamed_response_limit(mut self, bytes: u64) -> Self {
        self.sandbox.stream_limits.size = bytes;
        self
    }

    /// What a function learns of a client that goes away: nothing without this call.
    #[must_use]
    pub fn client_gone(mut self, client_gone: ClientGone) -> Self {
        self.sandbox.client_gone = client_gone;
        self
    }

    /// What happens to sandboxes that wait: nothing without this call. Frozen ones also show what a function
    /// left to do behind its answer.
    #[must_use]
    pub fn freeze(mut self, freezing: Freezing) -> Self {
        self.sandbox.freezing = freezing;
        self
    }

    /// Replaces the sandboxes when the function's program, or a file among its arguments, has changed: idle
    /// ones at once, the others after their answer.
    #[must_use]
    pub fn watch(mut self) -> Self {
        self.watching = Watching::Program;
        self
    }

    /// Where people read along: the functions' log lines, each metric record as one short line,
    /// cold starts and failures. Written with ANSI styles; wrap the writer in
    /// `anstream::AutoStream` to drop them where it is no terminal. A writer that blocks holds nothing
    /// up: lines it has no room for are counted and left out.
    #[must_use]
    pub fn console(mut self, writer: impl Write + Send + 'static) -> Self {
        self.sinks.console = Some(Box::new(writer));
        self
    }

    /// A file to which every log line of the functions is appended unchanged, one line each.
    #[must_use]
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sinks.file = Some(path.into());
        self
    }

    /// A channel that gets every log line of the functions, without its line end. Bytes that are
    /// not UTF-8 are replaced.
    #[must_use]
    pub fn log_lines(mut self, sender: UnboundedSender<String>) -> Self {
        self.sinks.lines = Some(sender);
        self
    }

    /// Writes Lambda's own log lines (`platform.start`, `platform.report` and so on, in its JSON format) to the log
    /// file and the channel, between the functions' own.
    #[must_use]
    pub fn platform_logs(mut self) -> Self {
        self.sinks.platform = true;
        self
    }
}
