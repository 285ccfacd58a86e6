//! What a stand-in has received, for tests to look at.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method, request::Parts};
use serde_json::Value;

/// Every request received, in the order in which their bodies were complete. Clones share one list.
///
/// A request is in the journal before its answer starts: whoever has seen an answer finds the request here.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Received>>>);

impl Journal {
    /// Every request, whatever its path and outcome.
    pub fn requests(&self) -> Vec<Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests for a reply: `POST …/converse-stream`, refused ones included. Warm-up calls are not among them.
    pub fn conversations(&self) -> Vec<Received> {
        self.requests().into_iter().filter(Received::is_conversation).collect()
    }

    pub(crate) fn record(&self, received: Received) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    connection: u64,
    peer: SocketAddr,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    pub(crate) fn new(connection: u64, peer: SocketAddr, head: &Parts, body: Bytes) -> Self {
        let path = head.uri.path().to_owned();
        Self { connection, peer, method: head.method.clone(), path, headers: head.headers.clone(), body }
    }

    /// The connection's number, counted from 1 in the order of acceptance: equal numbers mean a reused connection.
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path as sent, percent-encoding and all.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body's bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON, or null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn is_conversation(&self) -> bool {
        self.method == Method::POST && self.path.ends_with("/converse-stream")
    }
}
