//! A reply of `ConverseStream`: the response's body as [`ModelEvent`]s.
//!
//! The SDK sends the request and judges the response's head, but does not read the stream: for each delta it takes the
//! frame apart byte by byte, copies its headers, and builds the event with all it may hold. Here a delta is its text. In a
//! function that sleeps between two tokens it is not the instructions that cost but the code and the data that have to come
//! back into the processor's caches.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use futures::Stream;
use http_body::Body;

use super::event;
use super::frames::FrameBuffer;
use crate::model::{ModelError, ModelErrorKind, ModelEvent};
use crate::telemetry::with_causes;

/// Keeps the body of a successful response for itself; the SDK gets an empty one. For one request.
#[derive(Debug, Clone, Default)]
pub(super) struct TakesBody(Arc<Mutex<Option<SdkBody>>>);

impl TakesBody {
    /// The body, once the SDK has said that the request succeeded.
    pub(super) fn take(&self) -> Option<SdkBody> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for TakesBody {
    fn name(&self) -> &'static str {
        "TakesBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(response.take_body());
        }
        Ok(())
    }
}

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
