//! A running stand-in, a client for it, and waits that end with words.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use local_lambda::{Config, Function, InvokeMode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The program whose first argument names what it does.
pub(crate) const TEST_FUNCTION: &str = env!("CARGO_BIN_EXE_test-function");

/// Waits for what must happen soon, and says what did not.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("{what}: not within {limit:?}"))
}

pub(crate) fn behaving(behaviour: &str) -> Function {
    Function::new(TEST_FUNCTION).args([behaviour])
}

/// A stand-in that ends with the test.
pub(crate) struct Lambda {
    pub(crate) address: SocketAddr,
    lines: UnboundedReceiver<String>,
    console: UnboundedReceiver<String>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Lambda {
    pub(crate) async fn running(behaviour: &str) -> Self {
        Self::with(behaving(behaviour), |config| config).await
    }

    /// Behind a URL in `BUFFERED` mode, which reads the document that a function answers with.
    pub(crate) async fn buffered(behaviour: &str) -> Self {
        Self::with(behaving(behaviour), |config| config.invoke_mode(InvokeMode::Buffered)).await
    }

    pub(crate) async fn with_sandboxes(behaviour: &str, sandboxes: usize) -> Self {
        let sandboxes = NonZeroUsize::new(sandboxes).expect("at least one sandbox");
        Self::with(behaving(behaviour), |config| config.sandboxes(sandboxes)).await
    }

    pub(crate) async fn with(function: Function, configure: impl FnOnce(Config) -> Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (line_sender, lines) = unbounded_channel();
        let (console_sender, console) = unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let config =
            Config::new(function).log_lines(line_sender).console(Console { sender: console_sender, line: Vec::new() });
        let config = configure(config);
        let served = tokio::spawn(local_lambda::run(listener, config, async move {
            let _ = stopped.await;
        }));
        Self { address, lines, console, stop: Some(stop), served }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Request::get(path).body(Bytes::new()).expect("a request")).await
    }

    pub(crate) async fn post(&self, body: impl Into<Bytes>) -> Response {
        let request = Request::post("/").header("content-type", "application/json");
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// The answer's head, as soon as it is there.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Response {
        within("the response's head", self.sent(request)).await.expect("a response")
    }

    async fn sent(&self, mut request: Request<Bytes>) -> hyper::Result<Response> {
        let host = self.address.to_string().parse().expect("a host");
        request.headers_mut().entry("host").or_insert(host);
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
        Ok(Response { status: head.status, headers: head.headers, body, connection })
    }

    /// The next line that a function wrote.
    pub(crate) async fn line(&mut self) -> String {
        within("a log line", self.lines.recv()).await.expect("the stand-in still runs")
    }

    /// The next line on the console that contains the text; earlier ones are skipped.
    pub(crate) async fn console(&mut self, text: &str) -> String {
        within(&format!("{text:?} on the console"), async {
            loop {
                let line = self.console.recv().await.expect("the stand-in still runs");
                if line.contains(text) {
                    return line;
                }
            }
        })
        .await
    }

    /// Stops the stand-in and waits until it has ended. Everything is written then.
    pub(crate) async fn stop(mut self) -> Unread {
        drop(self.stop.take());
        within("the end of the stand-in", self.served).await.expect("no panic").expect("no error");
        Unread {
            lines: std::iter::from_fn(|| self.lines.try_recv().ok()).collect(),
            console: std::iter::from_fn(|| self.console.try_recv().ok()).collect(),
        }
    }
}

/// What was written and not read before the end.
pub(crate) struct Unread {
    pub(crate) lines: Vec<String>,
    pub(crate) console: Vec<String>,
}

/// The stand-in's own styles. Any other escape sequence stays in the line, for a test to find.
const STYLES: [&str; 4] = ["\u{1b}[0m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m"];

/// Sends each complete line, without its styles.
struct Console {
    sender: UnboundedSender<String>,
    line: Vec<u8>,
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let line = String::from_utf8_lossy(&self.line).into_owned();
                    let line = STYLES.iter().fold(line, |line, style| line.replace(style, ""));
                    // The end of a test closes the receiver while the stand-in may still write.
                    let _ = self.sender.send(line);
                    self.line.clear();
                }
                byte => self.line.push(*byte),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A response whose body comes piece by piece.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Response {
    /// The next piece: `Ok(None)` at the proper end, `Err` where the connection was cut.
    pub(crate) async fn piece(&mut self) -> Result<Option<String>, hyper::Error> {
        match within("the next piece of the body", self.body.frame()).await {
            Some(Ok(frame)) => {
                let data = frame.into_data().expect("data, not trailers");
                Ok(Some(String::from_utf8(data.to_vec()).expect("UTF-8")))
            }
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }

    pub(crate) async fn text(self) -> String {
        let body = within("the whole body", self.body.collect()).await.expect("a complete body");
        String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8")
    }

    pub(crate) async fn json(self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Goes away without reading the rest.
    pub(crate) async fn abandon(self) {
        self.connection.abort();
        let _ = self.connection.await;
    }
}

/// Lets a function go on that waits for the test: `RELEASE` in its environment.
pub(crate) struct Gate(TcpListener);

impl Gate {
    pub(crate) async fn closed() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    pub(crate) fn guarding(&self, function: Function) -> Function {
        function.env("RELEASE", self.0.local_addr().expect("an address").to_string())
    }

    /// Waits until the function is at the gate.
    pub(crate) async fn reached(&self) -> Waiting {
        let (waiting, _) = within("the function at the gate", self.0.accept()).await.expect("a connection");
        Waiting { _connection: waiting }
    }

    pub(crate) async fn open(&self) {
        drop(self.reached().await);
    }
}

/// A function that waits at the gate until this is dropped.
pub(crate) struct Waiting {
    _connection: TcpStream,
}

/// Waits until a process has ended; the kernel says when.
pub(crate) async fn gone(process: &str) {
    let process = process.parse().ok().and_then(Pid::from_raw).expect("a process id");
    // An error means that there is no such process any more.
    let Ok(process) = pidfd_open(process, PidfdFlags::empty()) else { return };
    let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
    let ended = tokio::task::spawn_blocking(move || poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)));
    assert_eq!(ended.await.expect("no panic"), Ok(1), "a process did not end");
}
