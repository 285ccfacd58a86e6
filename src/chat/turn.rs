//! One turn: a model's stream under time-outs, with exactly one terminal event.

use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::patience::Patience;
use super::{ChatError, ChatEvent, Usage};
use crate::model::{Model, ModelError, ModelErrorKind, ModelEvent, Prompt};

/// Every wait of a turn has one of these bounds.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// How long the status line waits for the model to accept the request.
    pub hold: Duration,
    /// How long the model may take to accept the request.
    pub head: Duration,
    /// How long the model's stream may be silent.
    pub stall: Duration,
    /// How long the metadata may take to follow the stop of the message.
    pub metadata: Duration,
    /// How long the stream may take to end after its last event, so that its connection can be used again.
    pub drain: Duration,
    /// How long the client's stream may be silent before a comment fills it.
    pub keep_alive: Duration,
    /// How long before the invocation's deadline the turn gives up, so that it can still say so.
    pub deadline_margin: Duration,
    /// How long before the deadline a response is given up that its reader does not take, so that it can still
    /// be recorded. Less than `deadline_margin`.
    pub delivery_margin: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(1),
            head: Duration::from_secs(20),
            stall: Duration::from_secs(15),
            metadata: Duration::from_secs(2),
            drain: Duration::from_millis(500),
            keep_alive: Duration::from_secs(10),
            deadline_margin: Duration::from_secs(1),
            delivery_margin: Duration::from_millis(250),
        }
    }
}

/// The answer to one prompt, ready to be asked for.
pub struct Turn<M> {
    model: Arc<M>,
    prompt: Prompt,
    timeouts: Timeouts,
    deadline: Instant,
}

impl<M: Model> Turn<M> {
    /// A turn that gives up [`Timeouts::deadline_margin`] before `deadline`.
    pub fn new(model: Arc<M>, prompt: Prompt, timeouts: Timeouts, deadline: Instant) -> Self {
        let deadline = deadline.checked_sub(timeouts.deadline_margin).unwrap_or(deadline);
        Self { model, prompt, timeouts, deadline }
    }

    /// Asks the model, and yields its reply as it comes: `Opened`, tokens, and exactly one of `Done` and
    /// `Failed`. Nothing happens before the first poll; dropping the stream gives the reply up.
    ///
    /// After the terminal event the stream may stay open for [`Timeouts::drain`], but not past the moment at which
    /// the turn would have given up: the model's own stream is read to its end, since an HTTP/1.1 connection that is
    /// left half-read cannot serve the next request.
    pub fn events(self) -> impl Stream<Item = ChatEvent> + Send {
        let Self { model, prompt, timeouts, deadline } = self;
        stream! {
            let head_by = deadline.min(Instant::now() + timeouts.head);
            let reply = match timeout_at(head_by, model.converse(prompt)).await {
                Ok(Ok(reply)) => reply,
                Ok(Err(error)) => {
                    yield failed(&error, None);
                    return;
                }
                Err(_) if head_by == deadline => {
                    yield ran_out(ChatError::DeadlineExceeded, None);
                    return;
                }
                Err(_) => {
                    yield ran_out(ChatError::ModelTimeout, None);
                    return;
                }
            };
            yield ChatEvent::Opened;

            // It is polled once more below, even where it has ended without its metadata.
            let reply = reply.fuse();
            tokio::pin!(reply);
            let mut patience = Patience::until(deadline);
            let mut stop: Option<String> = None;
            let mut usage = None;
            let terminal = loop {
                let silence = if stop.is_some() { timeouts.metadata } else { timeouts.stall };
                let next_by = deadline.min(Instant::now() + silence);
                let error = match patience.next_by(next_by, &mut reply).await {
                    Ok(Some(Ok(ModelEvent::Text(text)))) => {
                        yield ChatEvent::Token(text);
                        continue;
                    }
                    Ok(Some(Ok(ModelEvent::Progress))) => continue,
                    Ok(Some(Ok(ModelEvent::Stop(reason)))) => {
                        stop = Some(reason);
                        continue;
                    }
                    Ok(Some(Ok(ModelEvent::Metadata { usage: counted, latency_ms }))) => {
                        usage = counted;
                        match stop {
                            Some(stop_reason) => {
                                let uncounted = usage.is_none().then(|| "metadata without usage".to_owned());
                                break ChatEvent::Done { stop_reason, usage, latency_ms, uncounted };
                            }
                            None => continue,
                        }
                    }
                    Ok(Some(Err(error))) => failed(&error, usage),
                    Ok(None) => failed(
                        &ModelError::new(ModelErrorKind::Interrupted, "the stream ended before its last event"),
                        usage,
                    ),
                    Err(_) if next_by == deadline => ran_out(ChatError::DeadlineExceeded, usage),
                    Err(_) => ran_out(ChatError::StreamStalled, usage),
                };
                // Once the message has stopped the reply is whole: all that can be missing is its metadata.
                break match (stop, error) {
                    (Some(stop_reason), ChatEvent::Failed { detail, .. }) => {
                        let uncounted = usage.is_none().then_some(detail);
                        ChatEvent::Done { stop_reason, usage, latency_ms: None, uncounted }
                    }
                    (_, error) => error,
                };
            };
            let complete = matches!(terminal, ChatEvent::Done { .. });
            yield terminal;
            if complete {
                // What comes now is of no interest, and neither is whether it comes in time.
                let drained_by = deadline.min(Instant::now() + timeouts.drain);
                let _ = timeout_at(drained_by, async { while let Some(Ok(_)) = reply.next().await {} }).await;
            }
        }
    }
}

fn ran_out(error: ChatError, usage: Option<Usage>) -> ChatEvent {
    ChatEvent::Failed { error, usage, detail: error.to_string() }
}

fn failed(error: &ModelError, usage: Option<Usage>) -> ChatEvent {
    let kind = match error.kind() {
        ModelErrorKind::Throttled => ChatError::Throttled,
        ModelErrorKind::AccessDenied => ChatError::ModelAccessDenied,
        ModelErrorKind::NotFound => ChatError::ModelNotFound,
        ModelErrorKind::Rejected => ChatError::ModelRejected,
        ModelErrorKind::Unavailable => ChatError::ModelUnavailable,
        ModelErrorKind::Timeout => ChatError::ModelTimeout,
        ModelErrorKind::Interrupted => ChatError::StreamInterrupted,
        ModelErrorKind::Internal => ChatError::Internal,
    };
    ChatEvent::Failed { error: kind, usage, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Conversation, Message, Role};
    use crate::model::scripted::{Ending, Head, Scripted, USAGE, at_once, metadata, stop, text};
    use crate::policy::Policy;

    async fn play(model: Scripted) -> Vec<ChatEvent> {
        let policy = Policy::built_in().expect("starts");
        let conversation = Conversation::parse(vec![Message { role: Role::User, content: "Yo".into() }]).expect("kept");
        let prompt = Prompt::governed(&policy, policy.default_mode(), conversation);
        let deadline = Instant::now() + Duration::from_secs(60);
        Turn::new(Arc::new(model), prompt, Timeouts::default(), deadline).events().collect().await
    }

    fn error(events: &[ChatEvent]) -> Option<(ChatError, Option<Usage>)> {
        match events.last() {
            Some(ChatEvent::Failed { error, usage, .. }) => Some((*error, *usage)),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_is_opened_tokens_and_done() {
        let events = play(at_once([text("Yo"), Ok(ModelEvent::Progress), text("!"), stop(), metadata()])).await;
        let done = ChatEvent::Done {
            stop_reason: "end_turn".into(),
            usage: Some(USAGE),
            latency_ms: Some(40),
            uncounted: None,
        };
        assert_eq!(events, [ChatEvent::Opened, ChatEvent::Token("Yo".into()), ChatEvent::Token("!".into()), done]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_without_metadata_is_done_without_usage() {
        let uncounted = |events: &[ChatEvent]| match events.last() {
            Some(ChatEvent::Done { usage: None, latency_ms: None, uncounted: Some(why), .. }) => why.clone(),
            other => format!("not done without usage: {other:?}"),
        };
        assert_eq!(uncounted(&play(at_once([stop()])).await), "Interrupted: the stream ended before its last event");
        let broken = Err(ModelError::new(ModelErrorKind::Interrupted, "reset"));
        assert_eq!(uncounted(&play(at_once([stop(), broken])).await), "Interrupted: reset");
        let silent = Scripted { ending: Ending::Hangs, ..at_once([stop()]) };
        let start = Instant::now();
        assert_eq!(uncounted(&play(silent).await), ChatError::StreamStalled.to_string());
        assert!(start.elapsed() <= Timeouts::default().metadata + Timeouts::default().drain);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_ends_before_its_stop_is_interrupted() {
        assert_eq!(error(&play(at_once([text("Yo")])).await), Some((ChatError::StreamInterrupted, None)));
        let counted = play(at_once([text("Yo"), metadata()])).await;
        assert_eq!(error(&counted), Some((ChatError::StreamInterrupted, Some(USAGE))));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_stalls_and_progress_is_no_silence() {
        let stall = Timeouts::default().stall;
        let silent = Scripted { ending: Ending::Hangs, ..at_once([text("Yo")]) };
        assert_eq!(error(&play(silent).await), Some((ChatError::StreamStalled, None)));

        let mut thinking = at_once([text("Yo"), stop(), metadata()]);
        thinking.steps.splice(0..0, (0..3).map(|_| (stall - Duration::from_secs(1), Ok(ModelEvent::Progress))));
        assert!(matches!(play(thinking).await.last(), Some(ChatEvent::Done { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_model_that_does_not_accept_in_time_has_timed_out() {
        let slow = Scripted { head: (Duration::from_secs(21), Head::Accepts), ..at_once([]) };
        let start = Instant::now();
        assert_eq!(error(&play(slow).await), Some((ChatError::ModelTimeout, None)));
        assert_eq!(start.elapsed(), Timeouts::default().head);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_gives_up_one_second_before_the_deadline() {
        let mut slow = at_once([]);
        slow.steps = (0..100).map(|_| (Duration::from_secs(10), text("."))).collect();
        let start = Instant::now();
        assert_eq!(error(&play(slow).await), Some((ChatError::DeadlineExceeded, None)));
        assert_eq!(start.elapsed(), Duration::from_secs(59));
    }

    #[tokio::test(start_paused = true)]
    async fn after_done_the_stream_is_read_to_its_end_but_not_for_long() {
        let mut late = at_once([stop(), metadata(), Ok(ModelEvent::Progress)]);
        late.steps[2].0 = Duration::from_millis(200);
        let start = Instant::now();
        assert!(matches!(play(late.clone()).await.last(), Some(ChatEvent::Done { .. })));
        assert_eq!(start.elapsed(), Duration::from_millis(200), "left half-read");

        let start = Instant::now();
        play(Scripted { ending: Ending::Hangs, ..late }).await;
        assert_eq!(start.elapsed(), Timeouts::default().drain);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_follows_a_failure() {
        let broken = Err(ModelError::new(ModelErrorKind::Throttled, "slow down"));
        let events = play(at_once([text("Yo"), broken, text("ghost"), stop()])).await;
        assert_eq!(events.len(), 3);
        assert_eq!(error(&events), Some((ChatError::Throttled, None)));
    }
}
