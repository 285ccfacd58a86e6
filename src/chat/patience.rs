//! Waiting for the next item of a stream, with a bound that moves with each.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures::{FutureExt, Stream};
use tokio::time::{Instant, Sleep, sleep_until};

/// One timer for a whole stream. It is set again when it rings too early or would ring too late, and not with each item:
/// a timer for each costs a token two turns of the timer wheel.
pub(super) struct Patience(Pin<Box<Sleep>>);

/// Nothing came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfPatience;

impl Patience {
    /// `at_most` is when it will be set again at the latest.
    pub(super) fn until(at_most: Instant) -> Self {
        Self(Box::pin(sleep_until(at_most)))
    }

    /// The next item, if it is there by then.
    pub(super) async fn next_by<S: Stream>(
        &mut self,
        by: Instant,
        stream: &mut Pin<&mut S>,
    ) -> Result<Option<S::Item>, OutOfPatience> {
        poll_fn(|cx| {
            if let Poll::Ready(item) = stream.as_mut().poll_next(cx) {
                return Poll::Ready(Ok(item));
            }
            if by < self.0.deadline() {
                self.0.as_mut().reset(by);
            }
            while self.0.poll_unpin(cx).is_ready() {
                if Instant::now() >= by {
                    return Poll::Ready(Err(OutOfPatience));
                }
                self.0.as_mut().reset(by);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::StreamExt;
    use futures::stream;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_bound() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let items = stream::iter([3, 3, 30]).then(|seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            seconds
        });
        tokio::pin!(items);
        let mut patience = Patience::until(after(60));
        assert_eq!(patience.next_by(after(15), &mut items).await, Ok(Some(3)));
        assert_eq!(patience.next_by(after(18), &mut items).await, Ok(Some(3)));
        // Later than the bound before, and then sooner.
        assert_eq!(patience.next_by(after(21), &mut items).await, Err(OutOfPatience));
        assert_eq!(start.elapsed(), Duration::from_secs(21));
        assert_eq!(patience.next_by(after(20), &mut items).await, Err(OutOfPatience), "a bound that is over");
        assert_eq!(patience.next_by(after(40), &mut items).await, Ok(Some(30)));
        assert_eq!(patience.next_by(after(50), &mut items).await, Ok(None));
    }
}
