//! The answer to one invocation while the process gives it.

use std::sync::Arc;

use super::Exchange;
use crate::failure::Failure;
use crate::invocation::{NoReply, Reply, ReplySender};

/// Held while a call of `response` or `error` is handled; gives the waiting client its one reply.
pub(super) struct Answering {
    exchange: Arc<Exchange>,
    id: String,
    reply: Option<ReplySender>,
}

impl Answering {
    pub(super) fn new(exchange: Arc<Exchange>, id: String, reply: ReplySender) -> Self {
        Self { exchange, id, reply: Some(reply) }
    }

    pub(super) fn completion(&self) -> Completion {
        Completion { exchange: Arc::clone(&self.exchange), id: self.id.clone() }
    }

    /// The answer is whole.
    pub(super) fn succeed(mut self, reply: Reply) {
        self.completion().complete();
        self.begin(reply);
    }

    /// The answer has begun.
    pub(super) fn begin(&mut self, reply: Reply) {
        self.reply(Ok(reply));
    }

    /// There is no answer, and the sandbox lives on.
    pub(super) fn fail(mut self, failure: Failure) {
        self.failed(failure);
    }

    fn failed(&mut self, failure: Failure) {
        let completion = self.completion();
        completion.report(&failure);
        completion.complete();
        self.reply(Err(NoReply::Failed(failure)));
    }

    fn reply(&mut self, reply: Result<Reply, NoReply>) {
        if let Some(sender) = self.reply.take() {
            // Without a receiver the client has gone, and nobody waits for the reply.
            let _ = sender.send(reply);
        }
    }
}

impl Drop for Answering {
    /// The process's connection has gone before there was a reply.
    fn drop(&mut self) {
        if self.reply.is_some() {
            self.failed(Failure::cut());
        }
    }
}

/// Marks an answer as complete, from wherever its end is noticed.
pub(super) struct Completion {
    exchange: Arc<Exchange>,
    id: String,
}

impl Completion {
    pub(super) fn complete(&self) {
        self.exchange.complete(&self.id);
    }

    /// Shows what went wrong to the person at the console.
    pub(super) fn report(&self, failure: &Failure) {
        self.exchange.failed(&self.id, failure);
    }
}
