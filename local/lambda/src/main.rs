//! The `local-lambda` command: any function for `provided.al2023`, behind a function URL on this
//! machine.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use local_lambda::{Config, Function};
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
    /// The function's program.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
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
    let mut config = Config::new(function).sandboxes(cli.sandboxes).console(anstream::AutoStream::auto(io::stdout()));
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
