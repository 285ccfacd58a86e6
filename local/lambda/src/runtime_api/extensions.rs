//! The Extensions API for internal extensions: those that a runtime's own process registers.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>. An extension is delivered its
//! `INVOKE` events; the sandbox does not wait until it has handled them. External extensions, which are programs
//! of their own, are not started.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Lambda's limit.
const MAX_EXTENSIONS: usize = 10;
/// Events kept for an extension that does not ask. More than one waits only where an extension is slower than
/// its function.
const MAX_WAITING: usize = 64;

/// What an internal extension may subscribe to. `SHUTDOWN` is for external ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Invoke,
}

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
}

/// Why a call is refused, in the words of the Runtime Interface Emulator: an error type and a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExtensionRefusal {
    pub(super) error_type: &'static str,
    pub(super) message: String,
}

impl ExtensionRefusal {
    fn new(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { error_type, message: message.into() }
    }
}

struct Extension {
    name: String,
    events: Vec<EventType>,
    waiting: VecDeque<Bytes>,
    poll: Option<oneshot::Sender<Bytes>>,
}

/// The `INVOKE` event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InvokeEvent<'a> {
    event_type: &'static str,
    deadline_ms: u128,
    request_id: &'a str,
    invoked_function_arn: &'a str,
    tracing: Tracing<'a>,
}

#[derive(Serialize)]
struct Tracing<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'a str,
}

/// The extensions of one sandbox.
#[derive(Default)]
pub(crate) struct Extensions(Mutex<BTreeMap<Uuid, Extension>>);

impl Extensions {
    /// Takes an extension in, and returns its identifier.
    pub(super) fn register(&self, name: &str, document: &[u8]) -> Result<Uuid, ExtensionRefusal> {
        if name.is_empty() {
            return Err(ExtensionRefusal::new("Extension.InvalidExtensionName", "Empty extension name"));
        }
        let registration: Registration = serde_json::from_slice(document)
            .map_err(|error| ExtensionRefusal::new("InvalidRequestFormat", error.to_string()))?;
        let events = registration.events.iter().map(|event| {
            serde_json::from_value(event.as_str().into()).map_err(|_| {
                ExtensionRefusal::new(
                    "Extension.InvalidEventType",
                    format!("{event}: not an event of an internal extension"),
                )
            })
        });
        let events = events.collect::<Result<_, _>>()?;
        let mut extensions = self.lock();
        if extensions.values().any(|extension| extension.name == name) {
            let message = "Extension with this name already registered";
            return Err(ExtensionRefusal::new("Extension.InvalidExtensionState", message));
        }
        if extensions.len() >= MAX_EXTENSIONS {
            let message = format!("Extension limit ({MAX_EXTENSIONS}) reached");
            return Err(ExtensionRefusal::new("Extension.TooManyExtensions", message));
        }
        let id = Uuid::new_v4();
        extensions.insert(id, Extension { name: name.to_owned(), events, waiting: VecDeque::new(), poll: None });
        Ok(id)
    }

    /// An extension asks for its next event, which may never come.
    pub(super) fn next(&self, id: &str) -> Result<oneshot::Receiver<Bytes>, ExtensionRefusal> {
        let unknown =
            || ExtensionRefusal::new("Extension.UnknownExtensionIdentifier", format!("Unknown extension {id}"));
        let id = id.parse().map_err(|_| {
            ExtensionRefusal::new("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        })?;
        let mut extensions = self.lock();
        let extension = extensions.get_mut(&id).ok_or_else(unknown)?;
        let (poll, receiver) = oneshot::channel();
        match extension.waiting.pop_front() {
            // The receiver is held here, so that the event cannot be lost.
            Some(event) => drop(poll.send(event)),
            None => extension.poll = Some(poll),
        }
        Ok(receiver)
    }

    /// Tells those that want to know that an invocation was delivered.
    pub(super) fn invoked(&self, request_id: &str, deadline_ms: u128, function_arn: &str, trace_id: &str) {
        let mut extensions = self.lock();
        let subscribed = |extension: &&mut Extension| extension.events.contains(&EventType::Invoke);
        let mut subscribers = extensions.values_mut().filter(subscribed).peekable();
        if subscribers.peek().is_none() {
            return;
        }
        let tracing = Tracing { kind: "X-Amzn-Trace-Id", value: trace_id };
        let event =
            InvokeEvent { event_type: "INVOKE", deadline_ms, request_id, invoked_function_arn: function_arn, tracing };
        let event = Bytes::from(serde_json::to_vec(&event).unwrap_or_default());
        for extension in subscribers {
            let unsent = match extension.poll.take() {
                Some(poll) => poll.send(event.clone()).err(),
                None => Some(event.clone()),
            };
            if let Some(event) = unsent
                && extension.waiting.len() < MAX_WAITING
            {
                extension.waiting.push_back(event);
            }
        }
    }

    /// Whether Lambda would give the process time to end by itself.
    pub(crate) fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// The process that registered them has ended.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Extension>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
