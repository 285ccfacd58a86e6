//! The body of a streamed answer, moved from the process's connection to the client's frame by
//! frame, with no task and no buffer between the two.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use thiserror::Error;
use tokio::sync::oneshot;

use super::answering::Completion;
use crate::failure::Failure;

/// The process's side cannot complete the body, so the client's connection is to be cut.
#[derive(Debug, Error)]
#[error("the function's response was cut")]
pub(crate) struct Cut;

/// How the client's side left a streamed answer.
pub(super) enum Left {
    /// Read to its end, whether that was its last byte or a cut.
    Read,
    /// Not read to its end, because the client has gone; the rest is still to be read.
    Abandoned(Incoming),
}

/// The bytes of a streamed answer.
pub(crate) struct StreamedBody {
    unread: Bytes,
    incoming: Option<Incoming>,
    completion: Completion,
    left: Option<oneshot::Sender<Left>>,
}

/// Wraps a body so that the receiver learns how the client left it.
pub(super) fn stream(incoming: Incoming, completion: Completion) -> (StreamedBody, oneshot::Receiver<Left>) {
    let (left, receiver) = oneshot::channel();
    let body = StreamedBody { unread: Bytes::new(), incoming: Some(incoming), completion, left: Some(left) };
    (body, receiver)
}

impl StreamedBody {
    /// Puts bytes back in front of those still to come.
    pub(crate) fn unread(&mut self, bytes: Bytes) {
        self.unread = bytes;
    }

    fn read(&mut self) {
        self.incoming = None;
        self.completion.complete();
        if let Some(sender) = self.left.take() {
            // Without a receiver the process's connection has gone, and nobody is to be told.
            let _ = sender.send(Left::Read);
        }
    }

    fn cut(&mut self, failure: &Failure) -> Cut {
        self.completion.report(failure);
        self.read();
        Cut
    }
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if !self.unread.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.unread)))));
        }
        loop {
            let Some(incoming) = self.incoming.as_mut() else { return Poll::Ready(None) };
            let frame = match ready!(Pin::new(incoming).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => {
                    return Poll::Ready(Some(Err(self.cut(&Failure::cut()))));
                }
                None => {
                    self.read();
                    return Poll::Ready(None);
                }
            };
            match frame.into_data() {
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(frame) => {
                    let trailers = frame.trailers_ref();
                    if let Some(failure) = trailers.and_then(Failure::from_trailers) {
                        return Poll::Ready(Some(Err(self.cut(&failure))));
                    }
                }
            }
        }
    }
}

impl Drop for StreamedBody {
    fn drop(&mut self) {
        if let (Some(incoming), Some(sender)) = (self.incoming.take(), self.left.take()) {
            let _ = sender.send(Left::Abandoned(incoming));
        }
    }
}
