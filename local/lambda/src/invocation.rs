//! One invocation on its way to a sandbox, and the reply on its way back.

use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::runtime_api::StreamedBody;

/// An event and the identifiers Lambda gives it.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) event: Bytes,
}

/// An invocation that has not reached a process yet, and where its reply is awaited.
pub(crate) struct Pending {
    pub(crate) invocation: Invocation,
    pub(crate) reply: ReplySender,
}

/// An invocation as the answer to a long poll.
pub(crate) struct Delivery {
    pub(crate) invocation: Invocation,
    pub(crate) deadline: SystemTime,
}

/// Takes the one reply of an invocation. Its receiver is gone when the client is.
pub(crate) type ReplySender = oneshot::Sender<Result<Reply, NoReply>>;

/// Why a sandbox gives no reply.
#[derive(Debug)]
pub(crate) enum NoReply {
    /// The invocation has failed.
    Failed(Failure),
    /// The sandbox ended before its process asked for the invocation: another may have it.
    Undelivered(Invocation),
}

/// What a process posted to `/invocation/{id}/response`.
// Not `expect`: how large hyper's body is depends on the features that others ask of it.
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one, and an invocation has one")]
pub(crate) enum Reply {
    /// The whole answer, as a runtime without streaming posts it.
    Buffered(Bytes),
    /// An answer whose bytes are still coming.
    Streamed {
        /// How its beginning is to be read.
        framing: Framing,
        /// Its bytes, prelude included.
        body: StreamedBody,
    },
}

/// How the first bytes of a streamed answer are to be read, by its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `application/vnd.awslambda.http-integration-response`: a JSON prelude, then the payload.
    HttpIntegration,
    /// Any other content type, or none: all of it is payload, and of this type.
    Raw(Option<HeaderValue>),
}
