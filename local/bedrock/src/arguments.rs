//! The command-line flags that make things go wrong, for every program that starts a stand-in.

use std::{io, net::Ipv4Addr};

use clap::Args;
use tokio::net::TcpListener;

use crate::{Config, Fault, Guardrail, NetworkFault};

/// Flags for faults; a program flattens them into its own.
#[derive(Debug, Args)]
pub struct FaultArgs {
    /// Makes every request fail, or its reply strange, by name: throttle, exception@3, stall@3, …; --help lists all
    #[arg(long, value_name = "NAME", long_help = fault_help())]
    fault: Option<Fault>,
    /// Makes the network between Bedrock and its client bad, by name: latency:latency=100, …; --help lists all
    #[arg(long, value_name = "NAME", long_help = network_help())]
    network: Vec<NetworkFault>,
    /// Words that Bedrock's guardrail denies, where a request names one; may be given several times
    #[arg(long, value_name = "TOPIC=WORD,…", value_parser = topic)]
    deny: Vec<Topic>,
    /// What the guardrail says in place of what it denies
    #[arg(long, value_name = "TEXT")]
    blocked_message: Option<String>,
    /// Port on 127.0.0.1 where faults are listed, set and lifted by HTTP; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    control_port: Option<u16>,
}

#[derive(Debug, Clone)]
struct Topic {
    name: String,
    keywords: Vec<String>,
}

fn fault_help() -> String {
    format!("Makes every request to Bedrock fail, or its reply strange, by name.\n\n{}", Fault::help())
}

fn network_help() -> String {
    let about = "Makes the network between Bedrock and its client bad, by name; may be given several times. \
        Attributes not given are 0.";
    format!("{about}\n\n{}", NetworkFault::help())
}

fn topic(argument: &str) -> Result<Topic, String> {
    let (name, keywords) = argument.split_once('=').ok_or("write it as TOPIC=WORD,WORD")?;
    let keywords: Vec<String> = keywords.split(',').map(|keyword| keyword.trim().to_owned()).collect();
    if keywords.iter().any(String::is_empty) {
        return Err("a word is empty: write it as TOPIC=WORD,WORD".to_owned());
    }
    Ok(Topic { name: name.to_owned(), keywords })
}

impl FaultArgs {
    /// The fault of every request, if there is one from the start.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The network's faults from the start.
    pub fn network(&self) -> &[NetworkFault] {
        &self.network
    }

    /// `config` with what the flags say.
    #[must_use]
    pub fn configure(&self, mut config: Config) -> Config {
        if let Some(fault) = self.fault {
            config = config.with_fault(fault);
        }
        config.network().set(self.network.iter().copied());
        config.with_guardrail(self.guardrail())
    }

    fn guardrail(&self) -> Guardrail {
        let guardrail = match self.deny.as_slice() {
            [] => Guardrail::default(),
            topics => {
                topics.iter().fold(Guardrail::new(), |guardrail, topic| guardrail.deny(&topic.name, &topic.keywords))
            }
        };
        match &self.blocked_message {
            Some(message) => guardrail.blocked_input(message).blocked_output(message),
            None => guardrail,
        }
    }

    /// Where [`run_control`](crate::run_control) is to listen, if it is asked for.
    ///
    /// # Errors
    /// A port that cannot be had, by the name of its flag.
    pub async fn control_listener(&self) -> io::Result<Option<TcpListener>> {
        let Some(port) = self.control_port else { return Ok(None) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|error| {
            let hint = "choose another one with --control-port, or 0 for a free one";
            io::Error::new(error.kind(), format!("port {port}: {error}; {hint}"))
        })?;
        Ok(Some(listener))
    }
}
