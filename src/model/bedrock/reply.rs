//! A reply of `ConverseStream`: the response's body as [`ModelEvent`]s.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_smithy_types::body::SdkBody;
use futures::Stream;
use http_body::Body;

use super::event;
use super::frames::FrameBuffer;
use crate::model::{ModelError, ModelErrorKind, ModelEvent};
use crate::telemetry::with_causes;

/// The events of one reply. After an error nothing more comes.
pub struct Reply {
    body: Option<SdkBody>,
    buffer: FrameBuffer,
}

impl Reply {
    pub(super) fn new(body: SdkBody) -> Self {
        Self { body: Some(body), buffer: FrameBuffer::default() }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ModelEvent, ModelError>>> {
        loop {
            if let Some(frame) = self.buffer.next_frame().map_err(interrupted)? {
                return Poll::Ready(Some(event::read(&frame)));
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.push(data);
                    }
                }
                Some(Err(error)) => {
                    let error = ModelError::new(ModelErrorKind::Interrupted, with_causes(&*error));
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.body = None;
                    self.buffer.end().map_err(interrupted)?;
                }
            }
        }
    }
}

impl Stream for Reply {
    type Item = Result<ModelEvent, ModelError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let event = ready!(this.poll_event(cx));
        if let Some(Err(_)) = event {
            this.body = None;
            this.buffer = FrameBuffer::default();
        }
        Poll::Ready(event)
    }
}

fn interrupted(error: impl std::fmt::Display) -> ModelError {
    ModelError::new(ModelErrorKind::Interrupted, error.to_string())
}
