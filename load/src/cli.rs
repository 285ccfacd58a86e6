//! The command line. What it takes becomes a plan, or an error that says what to write instead.

mod plan;

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bro_load::threshold::Threshold;
use bro_load::{Arrivals, Rate, WarmUp};
use clap::{Args, Parser, Subcommand, ValueEnum};
use http::{HeaderName, HeaderValue};

pub(crate) use plan::InvalidPlan;

/// Measures how a chat endpoint streams: the time to first token, the gaps, and where the time went.
#[derive(Debug, Parser)]
#[command(
    name = "bro-load",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit status: 0 all is well; 1 a --fail-if was met, or --require-streaming not; 2 wrong usage, or a \
                  file that cannot be read or written; 3 no request was answered."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes one report of several, by their histograms and seconds, as if one machine had made all requests
    Merge {
        /// Reports that were written with --json
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Prints the JSON Schema of reports
    Schema,
}

/// What is measured, and how.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The endpoint; without a path the format's own is taken
    #[arg(required = true, value_name = "URL")]
    url: Option<String>,
    /// Which events the endpoint speaks
    #[arg(long, value_enum, default_value_t = FormatName::BroBuddy, help_heading = "Request")]
    format: FormatName,
    /// bro-buddy: the mode to ask for
    #[arg(long, value_name = "ID", help_heading = "Request")]
    mode: Option<String>,
    /// openai: the model to ask for
    #[arg(long, value_name = "NAME", help_heading = "Request")]
    model: Option<String>,
    /// What to ask
    #[arg(long, value_name = "TEXT", default_value = "Why is the sky blue?", help_heading = "Request")]
    prompt: String,
    /// A file with one prompt a line, or one JSON object a line, which is then a whole body; they take turns
    #[arg(long, value_name = "FILE", conflicts_with = "prompt", help_heading = "Request")]
    prompts: Option<PathBuf>,
    /// A header for every request; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME:VALUE", value_parser = header, help_heading = "Request")]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A key, sent as x-api-key (bro-buddy) or as a bearer token (openai)
    #[arg(long, value_name = "KEY", env = "BRO_LOAD_API_KEY", hide_env_values = true, help_heading = "Request")]
    api_key: Option<String>,
    /// Sign for an AWS_IAM function URL, with credentials as the AWS CLI finds them
    #[arg(long, help_heading = "Request")]
    aws_sigv4: bool,
    /// A profile of the AWS CLI's configuration
    #[arg(long, value_name = "NAME", requires = "aws_sigv4", help_heading = "Request")]
    aws_profile: Option<String>,
    /// The function URL's region; without it, as its host name says
    #[arg(long, value_name = "REGION", requires = "aws_sigv4", help_heading = "Request")]
    aws_region: Option<String>,

    /// Closed loop: so many clients, each of which waits for its reply
    #[arg(
        long,
        short = 'c',
        value_name = "N",
        default_value = "1",
        value_parser = clients,
        conflicts_with = "rate",
        help_heading = "Load"
    )]
    concurrency: NonZeroUsize,
    /// Closed loop: the time over which the clients' first requests are spread
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0s",
        value_parser = time,
        conflicts_with = "rate",
        help_heading = "Load"
    )]
    ramp_up: Duration,
    /// Open loop: requests per second, or two rates to go from one to the other: 10..200
    #[arg(long, short = 'r', value_name = "RATE", help_heading = "Load")]
    rate: Option<Rate>,
    /// Open loop: how requests are spread
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson, requires = "rate", help_heading = "Load")]
    arrivals: Arrivals,
    /// Open loop: what the schedule is drawn from; a new one each time if not given
    #[arg(long, value_name = "N", requires = "rate", help_heading = "Load")]
    seed: Option<u64>,
    /// Open loop: requests under way at once, at most; others wait, and their waiting counts
    #[arg(
        long,
        value_name = "N",
        default_value = "1000",
        value_parser = clients,
        requires = "rate",
        help_heading = "Load"
    )]
    max_in_flight: NonZeroUsize,
    /// Measured requests; with --duration whichever comes first
    #[arg(long, short = 'n', value_name = "N", help_heading = "Load")]
    requests: Option<NonZeroU64>,
    /// The time in which measured requests start; 10s without --requests
    #[arg(long, short = 'd', value_name = "TIME", value_parser = duration, help_heading = "Load")]
    duration: Option<Duration>,
    /// What is left out at the beginning: a time, or a number of requests
    #[arg(long, value_name = "TIME|N", value_parser = warm_up, help_heading = "Load")]
    warm_up: Option<WarmUp>,
    /// Open a connection for each request
    #[arg(long, help_heading = "Load")]
    fresh_connections: bool,

    /// How long one request may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = limit, help_heading = "Limits")]
    timeout: Duration,
    /// How long opening a connection may take
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = limit, help_heading = "Limits")]
    connect_timeout: Duration,
    /// How long requests may go on when no more are started
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time, help_heading = "Limits")]
    drain: Duration,
}

/// What comes of it.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Write the report as JSON; - for standard output, in place of the table
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report as one HTML file
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(crate) html: Option<PathBuf>,
    /// Fail under this condition, as in 'ttft.p99>800ms' or 'errors>1%'; may be given several times
    #[arg(long = "fail-if", value_name = "CONDITION", help_heading = "Result")]
    pub(crate) fail_if: Vec<Threshold>,
    /// Fail if a reply was held back on the way, or if none tells whether it was
    #[arg(long, help_heading = "Result")]
    pub(crate) require_streaming: bool,
}

/// The formats by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    /// Bro-Buddy's events
    BroBuddy,
    /// OpenAI's chat completions
    #[value(name = "openai")]
    OpenAi,
}

/// More connections than one machine has ports for.
const MOST_CLIENTS: usize = 60_000;
const LONGEST: Duration = Duration::from_secs(12 * 3_600);
/// The longest time that the histograms hold.
const LONGEST_LIMIT: Duration = Duration::from_secs(3_600);

fn clients(text: &str) -> Result<NonZeroUsize, String> {
    let number: Option<NonZeroUsize> = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MOST_CLIENTS);
    number.ok_or_else(|| format!("write a number from 1 to {MOST_CLIENTS}"))
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 30s, 500ms or 2m"))?;
    if time > LONGEST { Err("at most 12h".to_owned()) } else { Ok(time) }
}

fn duration(text: &str) -> Result<Duration, String> {
    time(text).and_then(|time| if time.is_zero() { Err("more than 0s".to_owned()) } else { Ok(time) })
}

fn limit(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| if time > LONGEST_LIMIT { Err("at most 1h".to_owned()) } else { Ok(time) })
}

fn warm_up(text: &str) -> Result<WarmUp, String> {
    if let Ok(count) = u64::from_str(text) {
        return Ok(NonZeroU64::new(count).map_or(WarmUp::None, WarmUp::Requests));
    }
    let time = time(text).map_err(|error| format!("no number of requests, and no time: {error}"))?;
    Ok(if time.is_zero() { WarmUp::None } else { WarmUp::Duration(time) })
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as NAME:VALUE")?;
    let name = HeaderName::from_str(name.trim()).map_err(|_| "the name is none that HTTP allows")?;
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| "the value is none that HTTP allows")?;
    value.set_sensitive(true);
    Ok((name, value))
}
