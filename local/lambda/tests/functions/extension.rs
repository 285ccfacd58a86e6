//! Internal extensions, and what a process does when it is asked to end.

use std::io::Write;

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::runtime::{Answer, Invocation, Result, call, next, request, respond};

const PATH: &str = "/2020-01-01/extension";

/// Registers an extension for the given events.
fn register(name: &str, events: &[&str]) -> Result<Answer> {
    let body = json!({ "events": events }).to_string();
    request("POST", &format!("{PATH}/register"), &[("lambda-extension-name", name)], body.as_bytes())
}

fn next_event(id: &str) -> Result<Answer> {
    request("GET", &format!("{PATH}/event/next"), &[("lambda-extension-identifier", id)], b"")
}

/// Writes every event to standard output, on a thread of its own.
pub(crate) fn register_and_log_events(events: &[&str]) -> Result<()> {
    let registered = register("test", events)?;
    let id = registered.headers.get("lambda-extension-identifier").ok_or("no identifier")?.clone();
    writeln!(std::io::stdout(), "registered {}", String::from_utf8(registered.body)?)?;
    std::thread::spawn(move || {
        while let Ok(event) = next_event(&id) {
            let event = String::from_utf8_lossy(&event.body).into_owned();
            if writeln!(std::io::stdout(), "{event}").is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// Handles SIGTERM on a thread of its own; the handler stands when this returns.
fn on_termination(handle: impl FnOnce() + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut terminated: Signal = runtime.block_on(async { signal(SignalKind::terminate()) })?;
    std::thread::spawn(move || {
        runtime.block_on(terminated.recv());
        handle();
    });
    Ok(())
}

pub(crate) fn say_when_terminated() -> Result<()> {
    on_termination(|| {
        let said = writeln!(std::io::stdout(), "SIGTERM received");
        std::process::exit(i32::from(said.is_err()))
    })
}

pub(crate) fn ignore_termination() -> Result<()> {
    on_termination(|| {
        // The process goes on as if nothing had happened.
    })
}

/// Calls the Extensions API in wrong ways, the last when the initialisation is over; answers with what came back.
pub(crate) fn wrong_calls() -> Result<()> {
    let mut seen = vec![
        register("", &[])?,
        register("one", &["SHUTDOWN"])?,
        register("one", &[])?,
        register("one", &[])?,
        next_event("no identifier")?,
        next_event("3f2504e0-4f89-41d3-9a0c-0305e82c3301")?,
        request("GET", &format!("{PATH}/register"), &[], b"")?,
        request("POST", &format!("{PATH}/other"), &[], b"{}")?,
    ];
    let Invocation { id, .. } = next()?;
    seen.push(register("late", &[])?);
    let seen = seen.iter().map(|answer| {
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let kind = document.get("errorType").and_then(|kind| kind.as_str()).unwrap_or("-");
        format!("{} {kind}", answer.status)
    });
    respond(&id, &serde_json::to_string(&seen.collect::<Vec<_>>())?)?;
    call("GET", "/invocation/next", &[], b"")?;
    Ok(())
}
