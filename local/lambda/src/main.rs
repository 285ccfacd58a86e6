//! The `local-lambda` command: any function for `provided.al2023`, behind a function URL on this
//! machine.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use local_lambda::{Bandwidth, ClientGone, Config, Cors, Credentials, Freezing, Function, InvokeMode};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a function for provided.al2023 behind a streaming function URL on this machine.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The function URL's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Sandboxes at most: one more invocation at once is answered with 429.
    #[arg(long, default_value = "4")]
    sandboxes: NonZeroUsize,
    /// Seconds an invocation may take.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=900))]
    timeout: u64,
    /// Memory in MB, as the environment tells the function.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(128..=10_240))]
    memory: u32,
    /// A variable for the function, which gets none of this shell's. May be given several times.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, OsString)>,
    /// A file to which every log line of the function is appended unchanged.
    #[arg(long, value_name = "PATH")]
    log_file: Option<PathBuf>,
    /// Also writes Lambda's own log lines, such as platform.report, to the log file.
    #[arg(long, requires = "log_file")]
    platform_logs: bool,
    /// How the function URL treats answers.
    #[arg(long, value_enum, default_value_t)]
    invoke_mode: Mode,
    /// The function URL's CORS settings, as `aws lambda create-function-url-config --cors` takes them.
    #[arg(long, value_name = "JSON")]
    cors: Option<Cors>,
    /// Who may call the function URL.
    #[arg(long, value_enum, default_value_t, requires_if("aws-iam", "access_keys"))]
    auth: Auth,
    /// Credentials that callers may sign with. May be given several times.
    #[arg(long = "access-key", value_name = "ID:SECRET[:TOKEN]", value_parser = local_signature::parse_access_key)]
    access_keys: Vec<Credentials>,
    /// How fast a streamed answer goes on.
    #[arg(long, value_enum, default_value_t)]
    bandwidth: Speed,
    /// Whether a function learns that its client has gone in mid-stream.
    #[arg(long, value_enum, default_value_t)]
    client_gone: Gone,
    /// Stops the processes of sandboxes that wait, as Lambda freezes them.
    #[arg(long)]
    freeze: bool,
    /// Replaces the sandboxes when the program, or a file among its arguments, has changed.
    #[arg(long)]
    watch: bool,
    /// The function's program.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Mode {
    /// RESPONSE_STREAM: everything goes on as it comes.
    #[default]
    ResponseStream,
    /// BUFFERED: an answer goes on when it is complete; what is not streamed becomes status, headers and body.
    Buffered,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Auth {
    /// NONE: everyone.
    #[default]
    None,
    /// AWS_IAM: whoever signs with one of the access keys.
    AwsIam,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Speed {
    /// 6 MiB at once, then 2 MiB/s, as on AWS.
    #[default]
    Lambda,
    /// As fast as the two ends can.
    Off,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Gone {
    /// No, as on AWS: its answer is read to the end.
    #[default]
    Unnoticed,
    /// Its connection is cut.
    Cut,
}

fn variable(argument: &str) -> Result<(String, OsString), String> {
    let (name, value) = argument.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.into()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the last place to tell; if it is closed the exit code remains.
            let _ = writeln!(io::stderr(), "local-lambda: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(cli: Cli) -> io::Result<()> {
    let mut program = cli.program.into_iter();
    let mut function = Function::new(program.next().unwrap_or_default())
        .args(program)
        .timeout(Duration::from_secs(cli.timeout))
        .memory_mb(cli.memory);
    for (name, value) in cli.variables {
        function = function.env(name, value);
    }
    // Before an address is printed that would lead nowhere.
    let mut config = Config::new(function.resolve()?)
        .sandboxes(cli.sandboxes)
        .console(anstream::AutoStream::auto(io::stdout()))
        .invoke_mode(match cli.invoke_mode {
            Mode::ResponseStream => InvokeMode::ResponseStream,
            Mode::Buffered => InvokeMode::Buffered,
        })
        .bandwidth(match cli.bandwidth {
            Speed::Lambda => Bandwidth::lambda(),
            Speed::Off => Bandwidth::unlimited(),
        })
        .client_gone(match cli.client_gone {
            Gone::Unnoticed => ClientGone::Unnoticed,
            Gone::Cut => ClientGone::Cut,
        })
        .freeze(if cli.freeze { Freezing::BetweenInvocations } else { Freezing::Off });
    if let Some(cors) = cli.cors {
        config = config.cors(cors);
    }
    if matches!(cli.auth, Auth::AwsIam) {
        config = config.aws_iam(cli.access_keys);
    }
    if cli.watch {
        config = config.watch();
    }
    if cli.platform_logs {
        config = config.platform_logs();
    }
    if let Some(path) = cli.log_file {
        config = config.log_file(path);
    }

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, cli.port));
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let advice = "choose another port with --port";
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; {advice}"))
    })?;
    // Both handlers stand before the address is printed, so that whoever reads it can stop us.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "function URL  http://{address}/  (Ctrl-C stops it)")?;
    local_lambda::run(listener, config, async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
    .await
}
