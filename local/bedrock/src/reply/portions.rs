//! Events as portions of bytes. Each portion is a body frame of its own and, where the body has nothing more ready, a
//! write to the socket of its own.

use async_stream::{stream, try_stream};
use bytes::{Bytes, BytesMut};
use futures::stream::{Stream, StreamExt, TryStreamExt};

use super::breakage::Act;
use crate::{
    frames::{Encoder, EncodingError},
    network::Closer,
};

/// Why a response body broke off. It never reaches the client: the connection is closed instead.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Broken(#[from] EncodingError);

/// A frame for each event, and the ends that are not events.
pub(super) fn frames(
    acts: impl Stream<Item = Act> + Send + 'static,
    closer: Closer,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
    try_stream! {
        let mut encoder = Encoder::default();
        let mut acts = Box::pin(acts);
        while let Some(act) = acts.next().await {
            match act {
                Act::Send(event) => yield encoder.encode(&event)?,
                Act::SendDamaged(event, damage) => yield damage.of(&encoder.encode(&event)?),
                Act::Close(closing) => {
                    closer.close(closing);
                    // The connection takes this with it when it closes.
                    std::future::pending::<()>().await;
                }
                // Until the client goes away or the server ends: both drop this.
                Act::Stall => std::future::pending().await,
            }
        }
    }
}

/// Everything in one portion.
pub(super) fn whole(
    frames: impl Stream<Item = Result<Bytes, Broken>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
    futures::stream::once(frames.try_fold(BytesMut::new(), |mut all, frame| async move {
        all.extend_from_slice(&frame);
        Ok(all)
    }))
    .map_ok(BytesMut::freeze)
}

/// Every byte in a portion of its own.
pub(super) fn bytewise(
    frames: impl Stream<Item = Result<Bytes, Broken>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
    stream! {
        let mut frames = Box::pin(frames);
        while let Some(frame) = frames.next().await {
            let Ok(mut frame) = frame else {
                yield frame;
                return;
            };
            while !frame.is_empty() {
                yield Ok(frame.split_to(1));
                // hyper joins what is ready at once, and writes when nothing is.
                tokio::task::yield_now().await;
            }
        }
    }
}
