//! Whether the load tester distorts what it measures: its figures against those of a server that notes itself when it
//! wrote each token.
//!
//! The server is a process of its own with one thread, and answers in Bro-Buddy's events: 20 ms to the first token
//! and 20 ms from token to token. Its truth counts from the moment at which it had read a request to the one just before
//! it writes the first token, so the difference holds the server's write, the way through the kernel both ways and
//! connecting, as well as the tool.
//!
//! It fails when a request failed, or when the median at 100 streams is more than 1 ms off.
//!
//! `cargo bench -p bro-load --bench accuracy`; 1, 100 and 500 streams take about 20 s each.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bro_load::report::StepsReport;
use bro_load::{Bodies, Endpoint, Extent, Format, Load, Metric, Plan, Progress, WarmUp};

mod server;

type Failure = Box<dyn std::error::Error>;

/// How the server is told apart from the benchmark, in the arguments.
const SERVE: &str = "serve";
const STREAMS: [usize; 3] = [1, 100, 500];
/// At so many streams the median is held to be this close, in ms.
const CLOSE_AT: usize = 100;
const CLOSE_MS: f64 = 1.0;
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(15);

fn main() -> Result<(), Failure> {
    if std::env::args().any(|argument| argument == SERVE) {
        return server::run();
    }
    let mut server = Server::start()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut out = std::io::stdout();
    writeln!(out, "All in ms; the difference of each request's TTFT to the server's own as a mean.")?;
    writeln!(
        out,
        "{:>7} {:>8} {:>6}  {:>9} {:>9} {:>7}  {:>9} {:>9} {:>7}  {:>10}  {:>9} {:>9} {:>7}",
        "streams",
        "replies",
        "failed",
        "TTFT p50",
        "truth",
        "diff",
        "TTFT p99",
        "truth",
        "diff",
        "each, mean",
        "gap p99",
        "truth",
        "diff"
    )?;
    let mut faults = Vec::new();
    for streams in STREAMS {
        runtime.block_on(measure(&server, streams, WARM_UP))?;
        server.truth()?;
        let report = runtime.block_on(measure(&server, streams, MEASURED))?.report();
        let truth = server.truth()?;
        let (Some(ttft), Some(gap)) = (report.latency.get(Metric::Ttft), report.latency.get(Metric::Gap)) else {
            return Err(format!("no reply came at {streams} streams: {:?}", report.outcomes).into());
        };
        let [true_p50, true_p99, true_gap] = truth;
        let each = report.waterfall.warm.as_ref().map_or(f64::NAN, beyond_the_server);
        writeln!(
            out,
            "{streams:>7} {:>8} {:>6}  {:>9.3} {true_p50:>9.3} {:>7.3}  {:>9.3} {true_p99:>9.3} {:>7.3}  {each:>10.3}  \
             {:>9.3} {true_gap:>9.3} {:>7.3}",
            report.requests.done,
            report.requests.failed,
            ttft.p50,
            ttft.p50 - true_p50,
            ttft.p99,
            ttft.p99 - true_p99,
            gap.p99,
            gap.p99 - true_gap
        )?;
        if report.requests.failed > 0 {
            faults.push(format!(
                "{} requests failed at {streams} streams: {:?}",
                report.requests.failed, report.outcomes
            ));
        }
        let off = (ttft.p50 - true_p50).abs();
        if streams == CLOSE_AT && (off.is_nan() || off > CLOSE_MS) {
            faults.push(format!("the median at {streams} streams is {off:.3} ms off; at most {CLOSE_MS} ms is right"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

async fn measure(server: &Server, streams: usize, duration: Duration) -> Result<bro_load::Finished, Failure> {
    let format = Format::BroBuddy { mode: None };
    let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{}/", server.port), &format)?;
    let bodies = Bodies::from_prompts(&format, ["Yo"])?;
    let concurrency = NonZeroUsize::new(streams).ok_or("no streams")?;
    let plan = Plan::new(endpoint, format, bodies)
        // Spread over a reply's length: a burst of all would be measured for its own queue, and stay one.
        .load(Load::Closed { concurrency, ramp_up: server::REPLY })
        .warm_up(WarmUp::None)
        .extent(Extent::duration_of(duration));
    Ok(bro_load::run(&plan, &Progress::default(), std::future::pending::<()>).await?)
}

/// What of a TTFT the server does not account for.
fn beyond_the_server(steps: &StepsReport) -> f64 {
    steps.queue + steps.connect + steps.tls + steps.network
}

/// The server's process; it ends with its standard input.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start() -> Result<Self, Failure> {
        let mut process =
            Command::new(std::env::current_exe()?).arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("the server has no output")?).read_line(&mut line)?;
        Ok(Self { process, port: line.trim().parse()? })
    }

    /// The server's own TTFT p50 and p99, and its p99 from token to token, since it was last asked, in milliseconds.
    fn truth(&mut self) -> Result<[f64; 3], Failure> {
        let mut connection = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        connection.write_all(b"GET /truth HTTP/1.1\r\ncontent-length: 0\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let figures = answer.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        figures.try_into().map_err(|figures| format!("the server's truth is {figures:?}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What cannot be killed has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
