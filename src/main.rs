//! The deployed function: composes the service and runs it under Lambda.

use std::process::ExitCode;

use bro_buddy::config::{self, Config};
use bro_buddy::{StartError, lambda, service, telemetry};

// One thread: a sandbox serves one invocation at a time, and a small one has less than one processor. Where Lambda hands
// a process several at once (Managed Instances), they take turns on it: most of a reply is waiting.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init_log(config::log_level_from_env());
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => {
            let runtime_api = error.runtime_api().cloned();
            return refuse_to_start(&StartError::Config(error), runtime_api).await;
        }
    };
    let runtime_api = config.lambda().runtime_api().clone();
    let concurrency = config.lambda().max_concurrency();
    let service = match service(&config) {
        Ok(service) => service,
        Err(error) => return refuse_to_start(&StartError::Policy(error), Some(runtime_api)).await,
    };
    let error = lambda::run(service, runtime_api, concurrency).await;
    tracing::error!(error = error.to_string(), "no more invocations can be asked for");
    ExitCode::FAILURE
}

async fn refuse_to_start(error: &StartError, runtime_api: Option<http::Uri>) -> ExitCode {
    telemetry::log_refused_start(error);
    if let Some(runtime_api) = runtime_api {
        lambda::report_init_error(&runtime_api, error.error_type(), &error.to_string()).await;
    }
    ExitCode::FAILURE
}
