//! `local-bedrock`: the stand-in as a program of its own, with the scripted generator.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use local_bedrock::{Config, Fault, Scripted, run};
use tokio::net::TcpListener;

/// A stand-in for Bedrock's ConverseStream: scripted replies at a set pace, failing on request.
///
/// Point an AWS SDK at it with AWS_ENDPOINT_URL_BEDROCK_RUNTIME and any credentials.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Port on 127.0.0.1 to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Milliseconds from a request to its first token
    #[arg(long, default_value_t = 50, value_name = "MS")]
    ttft: u64,
    /// Milliseconds from each token to the next
    #[arg(long, default_value_t = 5, value_name = "MS")]
    gap: u64,
    /// Tokens in a reply, unless the request allows fewer
    #[arg(long, default_value_t = 60)]
    tokens: usize,
    /// Fails every request: throttle, 500, exception:modelStreamErrorException@3, drop@3, stall@3, …
    #[arg(long)]
    fault: Option<Fault>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere is left to report a failure to write to standard error.
            let _unwritten = writeln!(io::stderr(), "local-bedrock: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.map_err(|error| {
        let hint = "choose another one with --port, or 0 for a free one";
        io::Error::new(error.kind(), format!("port {}: {error}; {hint}", options.port))
    })?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    io::stdout().flush()?;
    let scripted = Scripted::default()
        .ttft(Duration::from_millis(options.ttft))
        .gap(Duration::from_millis(options.gap))
        .tokens(options.tokens);
    let config = Config::new(Arc::new(scripted));
    let config = match options.fault {
        Some(fault) => config.with_fault(fault),
        None => config,
    };
    run(listener, config, terminated()).await
}

/// Ready at Ctrl-C or SIGTERM; at once, where no handler can be set.
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
