//! `local-bedrock`: the stand-in as a program of its own, with the scripted generator.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Args, Parser};
use local_bedrock::{Config, Credentials, FaultArgs, Scripted, run, run_control};
use tokio::net::TcpListener;

/// A stand-in for Bedrock's ConverseStream: scripted replies at a set pace, failing on request.
///
/// Point an AWS SDK at it with AWS_ENDPOINT_URL_BEDROCK_RUNTIME. Started with credentials, by flags or in the
/// variables that AWS SDKs read, it verifies each signature; started without, it takes any.
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
    #[command(flatten)]
    faults: FaultArgs,
    #[command(flatten)]
    keys: Keys,
}

/// Who may ask. A secret on a command line is seen by the whole machine: these are for made-up ones.
#[derive(Args)]
struct Keys {
    /// The access key id that requests must be signed with
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "ID", requires = "secret_access_key")]
    access_key_id: Option<String>,
    /// Its secret
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true,
        value_name = "SECRET",
        requires = "access_key_id"
    )]
    secret_access_key: Option<String>,
    /// The session token that goes with them, for temporary credentials
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true, value_name = "TOKEN", requires = "access_key_id")]
    session_token: Option<String>,
    /// The Bedrock API key that is taken as a bearer token
    #[arg(long, env = "AWS_BEARER_TOKEN_BEDROCK", hide_env_values = true, value_name = "TOKEN")]
    bearer_token: Option<String>,
}

impl Keys {
    /// An empty variable is a missing one, as to the SDKs.
    fn lock(self, config: Config) -> Config {
        let [id, secret, session_token, bearer_token] =
            [self.access_key_id, self.secret_access_key, self.session_token, self.bearer_token]
                .map(|value| value.filter(|value| !value.is_empty()));
        let config = match (id, secret) {
            (Some(id), Some(secret)) => {
                config.with_credentials(Credentials::new(id, secret, session_token, None, "local-bedrock"))
            }
            _ => config,
        };
        match bearer_token {
            Some(token) => config.with_bearer_token(token),
            None => config,
        }
    }
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
    let control = options.faults.control_listener().await?;
    // The first line is where Bedrock is: programs read it.
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    if let Some(control) = &control {
        writeln!(io::stdout(), "control: http://{}/faults", control.local_addr()?)?;
    }
    io::stdout().flush()?;
    let scripted = Scripted::default()
        .ttft(Duration::from_millis(options.ttft))
        .gap(Duration::from_millis(options.gap))
        .tokens(options.tokens);
    let config = options.keys.lock(Config::new(Arc::new(scripted)));
    let config = options.faults.configure(config);
    let Some(control) = control else { return run(listener, config, terminated()).await };
    let controlled = run_control(control, config.faults(), config.network(), terminated());
    tokio::try_join!(run(listener, config, terminated()), controlled)?;
    Ok(())
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
