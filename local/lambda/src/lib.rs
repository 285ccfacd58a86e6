//! A local stand-in for AWS Lambda: a function URL in `RESPONSE_STREAM` mode in front of
//! *sandboxes*, each one process of the function that speaks the Lambda Runtime API.
//!
//! The way of one request:
//!
//! 1. [`function_url`] reads the HTTP request and writes it as an event of payload format 2.0.
//! 2. [`fleet`] chooses a sandbox: the one used last, a new one, or none (429).
//! 3. [`runtime_api`] hands the event to the sandbox's process, which waits for it in a long
//!    poll, and takes the process's answer.
//! 4. [`function_url`] reads the answer's prelude and forwards what follows, frame by frame.
//!
//! [`sandbox`] starts the processes, holds them to their time limits and ends them;
//! [`program_watch`] says when they are to be replaced; [`logs`] is what people and files get to see
//! of all this. [`cors`] and [`bandwidth`] are settings with their rules. Nothing here knows any
//! particular function.

mod bandwidth;
mod config;
mod cors;
mod discarded;
mod failure;
mod fleet;
mod function;
mod function_url;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod invocation;
mod logs;
mod program_watch;
mod runtime_api;
mod sandbox;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use bandwidth::Bandwidth;
pub use config::{ClientGone, Config, Freezing, InvokeMode};
pub use cors::{Cors, InvalidCors};
pub use function::Function;
pub use local_signature::Credentials;

use crate::fleet::Fleet;
use crate::function_url::FunctionUrl;
use crate::logs::Logs;

/// Serves the function URL on `listener` until `shutdown` completes, then ends every sandbox.
///
/// Sandboxes start on demand. At shutdown the connections are cut and the processes killed, as
/// Lambda kills a sandbox in which no extension is registered; one with an internal extension gets
/// SIGTERM and half a second before. That takes three seconds at most.
///
/// # Errors
/// When the function's program is no file that can be run, when the log file cannot be opened, or
/// when the listener has no address. What befalls a single connection, sandbox or invocation is no
/// error: it is answered, logged, and the next request is served.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let Config { function, sandboxes, sandbox, watching, url, sinks } = config;
    let function = function.resolve()?;
    let region = function.region();
    let logs = Arc::new(Logs::open(sinks)?);
    let fleet = Fleet::new(function, sandboxes, sandbox, watching, Arc::clone(&logs));
    let url = Arc::new(FunctionUrl::new(url, &region, fleet));
    let served = Arc::clone(&url).serve(listener, shutdown).await;
    url.fleet().shut_down().await;
    logs.written().await;
    served
}
