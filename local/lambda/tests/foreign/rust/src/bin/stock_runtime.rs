//! A function on `lambda_runtime` alone, after that crate's `basic-streaming-response` example.

#![allow(clippy::indexing_slicing, reason = "a JSON value's index is null where there is nothing")]

use std::sync::atomic::{AtomicU64, Ordering};

use foreign_functions::ask_upstream;
use lambda_runtime::streaming::{Body, Response, channel};
use lambda_runtime::{Error, LambdaEvent, MetadataPrelude, service_fn, tracing};
use serde_json::{Value, json};

/// Invocations that this process has had.
static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

async fn function(event: LambdaEvent<Value>) -> Result<Response<Body>, Error> {
    let invocation = INVOCATIONS.fetch_add(1, Ordering::Relaxed) + 1;
    match event.payload["rawPath"].as_str() {
        Some("/relay") => Ok(relay(Ending::Normal)),
        Some("/relay-then-fail") => Ok(relay(Ending::Error)),
        Some("/relay-then-exit") => Ok(relay(Ending::Exit)),
        Some("/metadata") => Ok(metadata()?),
        Some("/instance") => Ok(json_response(&json!({
            "process": std::process::id(),
            "invocation": invocation,
            "logStream": event.context.env_config.log_stream,
            "memory": event.context.env_config.memory,
            "requestId": event.context.request_id,
        }))),
        Some("/refuse") => Err("the model is not ready".into()),
        Some("/panic") => Ok(panicking()),
        _ => Ok(greeting()),
    }
}

fn greeting() -> Response<Body> {
    let (mut tx, rx) = channel();
    tokio::spawn(async move {
        for message in ["Hello", "world", "from", "Lambda!"] {
            tx.send_data(format!("{message}\n").into()).await?;
        }
        Ok::<_, Error>(())
    });
    Response::from(rx)
}

#[allow(clippy::panic, reason = "what the runtime makes of a bug is to be seen")]
fn panicking() -> Response<Body> {
    panic!("an index out of its bounds")
}

/// How a relayed answer ends.
enum Ending {
    Normal,
    Error,
    Exit,
}

/// Streams a first part of its own, and then what the server behind it says.
fn relay(ending: Ending) -> Response<Body> {
    let (mut tx, rx) = channel();
    tokio::spawn(async move {
        tx.send_data("first\n".into()).await?;
        let second = ask_upstream().await?;
        match ending {
            Ending::Normal => tx.send_data(second.into()).await?,
            Ending::Error => tx.abort(),
            Ending::Exit => std::process::exit(1),
        }
        Ok::<_, Error>(())
    });
    Response::from(rx)
}

fn metadata() -> Result<Response<Body>, Error> {
    let mut metadata_prelude = MetadataPrelude { status_code: 418.try_into()?, ..MetadataPrelude::default() };
    metadata_prelude.headers.insert("content-type", "text/plain; charset=utf-8".parse()?);
    metadata_prelude.headers.insert("x-model", "small".parse()?);
    metadata_prelude.cookies = vec!["session=1; Path=/; HttpOnly".to_owned(), "theme=dark".to_owned()];
    Ok(Response { metadata_prelude, stream: Body::from("short and stout") })
}

fn json_response(document: &Value) -> Response<Body> {
    Response { metadata_prelude: MetadataPrelude::default(), stream: Body::from(document.to_string()) }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    lambda_runtime::run(service_fn(function)).await
}
