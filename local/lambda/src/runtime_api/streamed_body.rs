//! The body of a streamed answer, moved from the process's connection to the client's frame by
//! frame, with no task and no buffer between the two.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use thiserror::Error;
use tokio::sync::oneshot;

use super::answering::Completion;
use crate::bandwidth::{Bandwidth, Bucket};
use crate::failure::Failure;

/// The process's side cannot complete the body, so the client's connection is to be cut.
#[derive(Debug, Error)]
#[error("the function's response was cut")]
pub(crate) struct Cut;

/// What every streamed answer is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamLimits {
    /// In bytes, prelude included.
    pub(crate) size: u64,
    pub(crate) bandwidth: Bandwidth,
}

/// How the client's side left a streamed answer.
pub(super) enum Left {
    /// Read to its end, whether that was its last byte or a cut.
    Read,
    /// Longer than an answer may be; the rest is still to be read.
    Oversized(Incoming),
    /// Not read to its end, because the client has gone; the rest is still to be read.
    Abandoned(Incoming),
    /// Not read to its end, because none of the rest is to be sent; it is still to be read.
    Unwanted(Incoming),
}

/// What it means when the body is dropped before its end.
#[derive(Debug, Clone, Copy)]
enum Dropped {
    ClientGone,
    Unwanted,
}

/// The bytes of a streamed answer.
pub(crate) struct StreamedBody {
    /// Read from the process, and not yet passed on.
    unread: Bytes,
    incoming: Option<Incoming>,
    /// Bytes that may still come.
    room: u64,
    limits: StreamLimits,
    bucket: Bucket,
    completion: Completion,
    dropped: Dropped,
    left: Option<oneshot::Sender<Left>>,
}

/// Wraps a body so that the receiver learns how the client left it.
pub(super) fn stream(
    incoming: Incoming,
    completion: Completion,
    limits: StreamLimits,
) -> (StreamedBody, oneshot::Receiver<Left>) {
    let (left, receiver) = oneshot::channel();
    let body = StreamedBody {
        unread: Bytes::new(),
        incoming: Some(incoming),
        room: limits.size,
        limits,
        bucket: Bucket::full(limits.bandwidth),
        completion,
        dropped: Dropped::ClientGone,
        left: Some(left),
    };
    (body, receiver)
}

impl StreamedBody {
    /// Waits for the first bytes of the answer, or for its end.
    ///
    /// # Errors
    /// When the answer fails before its first byte.
    pub(crate) async fn begin(&mut self) -> Result<(), Cut> {
        if let Some(first) = poll_fn(|context| self.poll_read(context)).await.transpose()? {
            self.unread = first;
        }
        Ok(())
    }

    /// Puts bytes back in front of those still to come.
    pub(crate) fn unread(&mut self, bytes: Bytes) {
        self.unread = bytes;
    }

    /// What is still to come is not to be sent, though the client is there: hyper drops the body of an answer to
    /// `HEAD` unread, and an answer that cannot be used is given up here.
    pub(crate) fn unwanted(&mut self) {
        self.dropped = Dropped::Unwanted;
    }

    /// The process has nothing more to say. Its answer is complete, and it may go on, while what is unread is
    /// still on its way to the client.
    fn leave(&mut self) {
        self.incoming = None;
        self.completion.complete();
        self.tell(Left::Read);
    }

    fn tell(&mut self, how: Left) {
        if let Some(sender) = self.left.take() {
            // Without a receiver the process's connection has gone, and nobody is to be told.
            let _ = sender.send(how);
        }
    }

    fn cut(&mut self, failure: &Failure) -> Cut {
        self.completion.report(failure);
        self.leave();
        Cut
    }

    /// The next bytes from the process; an error ends the answer.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            let Some(incoming) = self.incoming.as_mut() else { return Poll::Ready(None) };
            let frame = match ready!(Pin::new(incoming).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => return Poll::Ready(Some(Err(self.cut(&Failure::cut())))),
                None => {
                    self.leave();
                    return Poll::Ready(None);
                }
            };
            match frame.into_data() {
                Ok(data) => return Poll::Ready(Some(self.counted(data))),
                Err(frame) => {
                    let trailers = frame.trailers_ref();
                    if let Some(failure) = trailers.and_then(Failure::from_trailers) {
                        return Poll::Ready(Some(Err(self.cut(&failure))));
                    }
                }
            }
        }
    }

    fn counted(&mut self, data: Bytes) -> Result<Bytes, Cut> {
        match self.room.checked_sub(data.len() as u64) {
            Some(room) => {
                self.room = room;
                Ok(data)
            }
            None => {
                self.completion.report(&Failure::streamed_response_too_large(self.limits.size));
                if let Some(rest) = self.incoming.take() {
                    self.tell(Left::Oversized(rest));
                }
                Err(Cut)
            }
        }
    }
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        while self.unread.is_empty() {
            match ready!(self.poll_read(context)) {
                Some(Ok(data)) => self.unread = data,
                Some(Err(cut)) => return Poll::Ready(Some(Err(cut))),
                None => return Poll::Ready(None),
            }
        }
        let wanted = self.unread.len();
        let taken = ready!(self.bucket.poll_take(context, wanted));
        Poll::Ready(Some(Ok(Frame::data(self.unread.split_to(taken)))))
    }
}

impl Drop for StreamedBody {
    fn drop(&mut self) {
        if let Some(rest) = self.incoming.take() {
            self.tell(match self.dropped {
                Dropped::ClientGone => Left::Abandoned(rest),
                Dropped::Unwanted => Left::Unwanted(rest),
            });
        }
    }
}
