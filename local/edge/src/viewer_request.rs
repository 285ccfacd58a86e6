//! A CloudFront function for the event `viewer-request`, run for each request in an engine of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime, Value};

use crate::event::{self, Returned};
use crate::verdict::{Failed, Verdict};

/// What a function may use, as CloudFront allows 2 MB.
const MEMORY: usize = 2 * 1024 * 1024;
/// Far more than CloudFront allows, which is about a millisecond, so that a busy machine refuses nothing.
const TIME: Duration = Duration::from_secs(1);

/// A function that was found to be one.
#[derive(Debug, Clone)]
pub struct ViewerRequest {
    source: Arc<str>,
}

/// Why some source is no CloudFront function.
#[derive(Debug, thiserror::Error)]
#[error("no CloudFront function: {0}")]
pub struct InvalidFunction(String);

impl ViewerRequest {
    /// A function whose source defines `handler`.
    ///
    /// # Errors
    /// Where it does not, or is no JavaScript.
    pub fn parse(source: impl Into<Arc<str>>) -> Result<Self, InvalidFunction> {
        let source = source.into();
        within_an_engine(|js| handler(&js, &source).map(|_| ())).map_err(InvalidFunction)?;
        Ok(Self { source })
    }

    /// What becomes of a request.
    pub(crate) async fn run(&self, head: Parts, viewer: SocketAddr, id: &str) -> Result<Verdict, Failed> {
        let (source, event) = (Arc::clone(&self.source), event::of(&head, viewer, id));
        let called = tokio::task::spawn_blocking(move || within_an_engine(|js| call(&js, &source, &event)));
        let returned = called.await.map_err(|_| Failed::Lost)?.map_err(Failed::Threw)?;
        Returned::parse(&returned)?.verdict(head)
    }
}

/// Nothing is left of one run in the next, as CloudFront promises nothing of it.
fn within_an_engine<T>(work: impl FnOnce(Ctx<'_>) -> Result<T, String>) -> Result<T, String> {
    let engine = Runtime::new().map_err(|error| error.to_string())?;
    engine.set_memory_limit(MEMORY);
    let until = Instant::now() + TIME;
    engine.set_interrupt_handler(Some(Box::new(move || Instant::now() > until)));
    let context = Context::full(&engine).map_err(|error| error.to_string())?;
    context.with(|js| {
        // What it writes is in CloudWatch on AWS, and nowhere here.
        js.eval::<(), _>("globalThis.console = { log: function () {} };").map_err(|error| error.to_string())?;
        work(js)
    })
}

fn handler<'js>(js: &Ctx<'js>, source: &str) -> Result<Function<'js>, String> {
    js.eval::<(), _>(source).catch(js).map_err(|error| error.to_string())?;
    js.globals().get("handler").map_err(|_| "there is no function `handler`".to_owned())
}

fn call(js: &Ctx<'_>, source: &str, event: &str) -> Result<String, String> {
    let handler = handler(js, source)?;
    let event = js.json_parse(event).catch(js).map_err(|error| error.to_string())?;
    let returned: MaybePromise<'_> = handler.call((event,)).catch(js).map_err(|error| error.to_string())?;
    let returned: Value<'_> = returned.finish().catch(js).map_err(|error| error.to_string())?;
    let text = js.json_stringify(returned).catch(js).map_err(|error| error.to_string())?;
    text.ok_or("nothing was given back")?.to_string().map_err(|error| error.to_string())
}
