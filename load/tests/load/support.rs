//! A server that answers as it is told, byte by byte, and plans against it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bro_load::{Bodies, Endpoint, Extent, Finished, Format, Limits, Load, Plan, Progress};

/// What is done to answer a request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write(Vec<u8>),
    Pause(u64),
    /// Closes the connection.
    Close,
    /// Says nothing more, until the client goes away.
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Counted over all connections, from zero.
    pub(crate) index: usize,
    /// On which connection, counted from zero.
    pub(crate) connection: usize,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Answers each request by its script, each connection on a thread of its own.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, counted, log) = (Arc::new(script), Arc::new(AtomicUsize::new(0)), requests.clone());
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (script, counted, log) = (script.clone(), counted.clone(), log.clone());
                thread::spawn(move || serve(stream.unwrap(), connection, &*script, &counted, &log));
            }
        });
        Self { address, requests }
    }

    /// Answers every request with the same steps.
    pub(crate) fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// One client, one request.
    pub(crate) fn plan(&self) -> Plan {
        let format = Format::BroBuddy { mode: None };
        plan(&self.url(), format)
    }
}

/// One client, one request.
pub(crate) fn plan(url: &str, format: Format) -> Plan {
    let endpoint = Endpoint::parse(url, &format).unwrap();
    let bodies = Bodies::from_prompts(&format, ["Yo"]).unwrap();
    Plan::new(endpoint, format, bodies).extent(requests(1)).limits(limits(20_000))
}

fn serve(
    mut stream: TcpStream,
    connection: usize,
    script: &dyn Fn(&Request) -> Vec<Step>,
    counted: &AtomicUsize,
    log: &Mutex<Vec<Request>>,
) {
    stream.set_nodelay(true).unwrap();
    let mut unread = Vec::new();
    while let Some((head, body)) = next_request(&mut stream, &mut unread) {
        let request = Request { index: counted.fetch_add(1, Ordering::SeqCst), connection, head, body };
        log.lock().unwrap().push(request.clone());
        for step in script(&request) {
            match step {
                // A client that has gone away is no fault of the server's.
                Step::Write(bytes) => drop(stream.write_all(&bytes)),
                Step::Pause(millis) => thread::sleep(Duration::from_millis(millis)),
                Step::Close => return,
                Step::Hang => drop(stream.read(&mut [0])),
            }
        }
    }
}

fn next_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(unread[..end].to_vec()).unwrap().to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            let whole = end + 4 + length.parse::<usize>().unwrap();
            if unread.len() >= whole {
                let body = String::from_utf8(unread[end + 4..whole].to_vec()).unwrap();
                unread.drain(..whole);
                return Some((head, body));
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => unread.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
}

pub(crate) fn write(bytes: impl AsRef<[u8]>) -> Step {
    Step::Write(bytes.as_ref().to_vec())
}

/// The head of a reply.
pub(crate) fn head() -> Step {
    head_with("")
}

/// The head of a reply with more headers, each with its end of line.
pub(crate) fn head_with(headers: &str) -> Step {
    write(format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{headers}transfer-encoding: chunked\r\n\r\n"))
}

/// Bytes of a reply in one write.
pub(crate) fn chunk(text: &str) -> Step {
    write(format!("{:x}\r\n{text}\r\n", text.len()))
}

pub(crate) fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

pub(crate) fn token() -> Step {
    chunk(&event("token", r#"{"text":"yo "}"#))
}

/// So many tokens in one write, each a chunk of its own.
pub(crate) fn tokens_at_once(count: usize) -> Step {
    let Step::Write(token) = token() else { unreachable!() };
    write(token.repeat(count))
}

pub(crate) fn done() -> Step {
    chunk(&event("done", r#"{"stop_reason":"end_turn","usage":null}"#))
}

/// The end of a response.
pub(crate) fn end() -> Step {
    write("0\r\n\r\n")
}

/// A whole reply in an instant.
pub(crate) fn reply() -> Vec<Step> {
    vec![head(), token(), done(), end()]
}

pub(crate) fn requests(count: u64) -> Extent {
    Extent::requests_of(NonZeroU64::new(count).unwrap())
}

pub(crate) fn closed(clients: usize) -> Load {
    Load::Closed { concurrency: NonZeroUsize::new(clients).unwrap(), ramp_up: Duration::ZERO }
}

/// A limit for each request.
pub(crate) fn limits(request: u64) -> Limits {
    Limits { request: Duration::from_millis(request), ..Limits::default() }
}

pub(crate) async fn run(plan: &Plan) -> Finished {
    let progress = Progress::default();
    let run = bro_load::run(plan, &progress, std::future::pending::<()>);
    tokio::time::timeout(Duration::from_secs(60), run).await.expect("the run ends").unwrap()
}
