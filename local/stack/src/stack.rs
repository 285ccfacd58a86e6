//! The two stand-ins with the function between them: started in order, joined, ended together.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_bedrock::FaultArgs;
use local_lambda::Function;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::access::Door;
use crate::cli::Cli;
use crate::error::Error;
use crate::generator::{self, Chosen};
use crate::role;
use crate::screen;

/// How long the stand-in for Bedrock may take to end. By then the function, its only client, is gone.
const BEDROCK_END: Duration = Duration::from_secs(2);

/// Everything that is needed to serve.
pub(crate) struct Stack {
    url: TcpListener,
    door: Door,
    lambda: local_lambda::Config,
    bedrock: (TcpListener, local_bedrock::Config),
    control: Option<TcpListener>,
    interrupt: Signal,
    terminate: Signal,
}

impl Stack {
    /// Makes sure of all that can be missing, cheapest first, and says what runs.
    pub(crate) async fn start(cli: Cli) -> Result<Self, Error> {
        let program = cli.function.canonicalize();
        let program = program.map_err(|source| Error::Function { path: cli.function.clone(), source })?;
        let url = TcpListener::bind((Ipv4Addr::LOCALHOST, cli.port)).await;
        let url = url.map_err(|source| Error::Port { port: cli.port, source })?;
        let address = url.local_addr()?;
        let (door, url) = cli.access.door(url).await?;

        let chosen = generator::choose(&cli.model).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let function = function(&program, &cli, &chosen, listener.local_addr()?);
        let bedrock =
            cli.faults.configure(local_bedrock::Config::new(chosen.generator)).with_credentials(role::credentials());
        let control = cli.faults.control_listener().await?;
        let log_file = cli.log_file.clone().map_or_else(temporary_log_file, Ok)?;
        // Both handlers stand before the URL is shown, so that whoever reads it can stop us.
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let facts = [Some(("open", format!("http://{address}/")))];
        let ways = door.facts(url.local_addr()?).into_iter().map(Some);
        let others = [
            Some(("model", chosen.description)),
            cli.faults.fault().map(|fault| ("fault", format!("{fault}: every request to Bedrock"))),
            network(&cli.faults),
            control_url(control.as_ref())?,
            Some(("log", log_file.display().to_string())),
            Some(("stop", "Ctrl-C".to_owned())),
        ];
        screen::running(&facts.into_iter().chain(ways).chain(others).flatten().collect::<Vec<_>>());

        let lambda = local_lambda::Config::new(door.configure_function(function))
            .sandboxes(cli.sandboxes)
            .log_file(log_file)
            .console(anstream::AutoStream::auto(io::stdout()));
        let lambda = door.configure_url(lambda);
        Ok(Self { url, door, lambda, bedrock: (listener, bedrock), control, interrupt, terminate })
    }

    /// Serves until Ctrl-C or SIGTERM, then ends the function's processes and both stand-ins.
    pub(crate) async fn serve(self) -> Result<(), Error> {
        let Self { url, door, lambda, bedrock: (listener, bedrock), control, mut interrupt, mut terminate } = self;
        let (stop_bedrock, bedrock_stopped) = oneshot::channel::<()>();
        if let Some(control) = control {
            // Has nothing to finish: it ends with the program.
            let control = local_bedrock::run_control(control, bedrock.faults(), bedrock.network(), pending());
            tokio::spawn(control);
        }
        // Has nothing to finish either.
        tokio::spawn(door.serve());
        let bedrock = tokio::spawn(local_bedrock::run(listener, bedrock, async move {
            // Also when the sender is dropped because the function URL has failed.
            let _ = bedrock_stopped.await;
        }));
        let served = local_lambda::run(url, lambda, async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
        .await;
        drop(stop_bedrock);
        // Past the limit the end of this program ends it.
        let _ = tokio::time::timeout(BEDROCK_END, bedrock).await;
        served?;
        screen::note("\nStopped.");
        Ok(())
    }
}

fn network(faults: &FaultArgs) -> Option<(&'static str, String)> {
    let names: Vec<_> = faults.network().iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| ("network", names.join(" ")))
}

fn control_url(listener: Option<&TcpListener>) -> io::Result<Option<(&'static str, String)>> {
    let address = listener.map(TcpListener::local_addr).transpose()?;
    Ok(address.map(|address| ("control", format!("http://{address}/faults"))))
}

/// The function as it would be deployed, with Bedrock's address in place of AWS's.
fn function(program: &Path, cli: &Cli, chosen: &Chosen, bedrock: SocketAddr) -> Function {
    // A system-defined inference profile, as far as an ARN can tell.
    let profile = format!("us.local.{}-v1:0", chosen.name);
    let model_id = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{profile}");
    let function = Function::new(program)
        .name("bro-buddy")
        .timeout(Duration::from_secs(cli.timeout))
        .env("MODEL_ID", model_id)
        .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://{bedrock}"));
    let function = role::VARIABLES.iter().fold(function, |function, (name, value)| function.env(*name, *value));
    cli.variables.iter().fold(function, |function, (name, value)| function.env(name, value))
}

/// A file of its own for each run, which stays after it.
fn temporary_log_file() -> Result<PathBuf, Error> {
    let file = tempfile::Builder::new().prefix("bro-buddy-").suffix(".log").tempfile();
    let file = file.map_err(Error::LogFile)?;
    let (_, path) = file.keep().map_err(|error| Error::LogFile(error.error))?;
    Ok(path)
}
