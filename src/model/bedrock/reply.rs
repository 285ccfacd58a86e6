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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::StreamExt;
    use http_body_util::StreamBody;

    use super::super::fuzzing::message;
    use super::*;

    type Piece = Result<Bytes, std::io::Error>;

    async fn read(pieces: Vec<Piece>) -> Vec<Result<ModelEvent, ModelErrorKind>> {
        let frames = futures::stream::iter(pieces).map(|piece| piece.map(http_body::Frame::data));
        let events: Vec<_> = Reply::new(SdkBody::from_body_1_x(StreamBody::new(frames))).collect().await;
        events.into_iter().map(|event| event.map_err(|error| error.kind())).collect()
    }

    fn text(text: &str) -> Vec<u8> {
        message("event", "contentBlockDelta", format!(r#"{{"delta":{{"text":"{text}"}}}}"#).as_bytes())
    }

    fn said(text: &str) -> Result<ModelEvent, ModelErrorKind> {
        Ok(ModelEvent::Text(text.into()))
    }

    #[tokio::test]
    async fn events_come_however_their_bytes_do() {
        let bytes = [text("Yo"), text("bro")].concat();
        for size in [1, 10, bytes.len()] {
            let pieces = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            assert_eq!(read(pieces).await, [said("Yo"), said("bro")], "{size} bytes at a time");
        }
    }

    #[tokio::test]
    async fn after_an_error_nothing_more_comes() {
        let interrupted = Err(ModelErrorKind::Interrupted);
        let broken = message("event", "contentBlockDelta", b"{");
        let behind = [text("Yo"), broken, text("ghost")].concat();
        assert_eq!(read(vec![Ok(behind.into()), Ok(text("ghost").into())]).await, [said("Yo"), interrupted.clone()]);

        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let pieces = vec![Ok(text("Yo").into()), Err(reset), Ok(text("ghost").into())];
        assert_eq!(read(pieces).await, [said("Yo"), interrupted.clone()]);

        let mut cut = text("Yo");
        cut.pop();
        assert_eq!(read(vec![Ok(cut.into())]).await, [interrupted]);
    }
}
