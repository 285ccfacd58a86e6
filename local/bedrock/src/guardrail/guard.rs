//! One request's guardrail: a verdict on the conversation, and a watch on the reply.

use std::sync::Arc;

use async_stream::stream;
use futures::stream::{self, Stream, StreamExt};
use tokio::time::Instant;

use super::{
    Guardrail, GuardrailSettings,
    settings::StreamMode,
    trace::{Assessment, Trace},
};
use crate::{
    Side, StopReason,
    reply::{Ending, Said},
};

/// Pieces of a reply that an asynchronous guardrail lets through before it blocks by force.
const FORCED_AFTER: usize = 3;

/// A guardrail at work on one request.
pub(crate) struct Guard {
    guardrail: Arc<Guardrail>,
    trace: Trace,
    mode: StreamMode,
    /// The side that is blocked whatever is said.
    forced: Option<Side>,
}

/// What becomes of a conversation.
pub(crate) enum Verdict {
    /// The model may answer, and the guardrail watches the reply.
    Passed(Guard),
    /// What is said in place of a reply.
    Blocked(Vec<Said>),
}

/// A topic that is touched by force.
const FORCED_TOPIC: &str = "Forced by a fault";

impl Guard {
    pub(crate) fn new(guardrail: Arc<Guardrail>, settings: &GuardrailSettings, forced: Option<Side>) -> Self {
        let topics = guardrail.topics.iter().map(|topic| topic.name.clone()).collect();
        let trace = Trace::new(settings.trace, settings.id(), topics);
        Self { guardrail, trace, mode: settings.mode, forced }
    }

    /// Judges the conversation's `texts`, before the model runs. `total` counts the characters of all texts, judged or
    /// not.
    pub(crate) fn judge(mut self, texts: &[String], total: usize) -> Verdict {
        let started = Instant::now();
        let text = texts.join("\n");
        let touched = self.touched(&text, self.forced == Some(Side::Input));
        let blocked = !touched.is_empty();
        let guarded = texts.iter().map(|text| text.chars().count()).sum();
        self.trace.input = Some(Assessment { touched, latency: started.elapsed(), guarded, total });
        if !blocked {
            return Verdict::Passed(self);
        }
        // As on Bedrock: a model that did not run has used no tokens.
        let text = self.guardrail.blocked_input.clone();
        Verdict::Blocked(vec![Said::Text { text, output_tokens: 0 }, self.intervened(0)])
    }

    /// `said`, or what is said instead from where it is blocked.
    pub(crate) fn watch(self, said: impl Stream<Item = Said> + Send + 'static) -> impl Stream<Item = Said> + Send {
        match self.mode {
            StreamMode::Sync => self.watch_first(said).boxed(),
            StreamMode::Async => self.watch_along(said).boxed(),
        }
    }

    /// Nothing leaves before all of it was judged. Bedrock judges some text at a time; replies here are short.
    fn watch_first(mut self, said: impl Stream<Item = Said> + Send + 'static) -> impl Stream<Item = Said> + Send {
        let judged = async move {
            let mut said: Vec<Said> = said.collect().await;
            let text: String = said.iter().map(Said::text).collect();
            if self.blocks(&text, true) {
                return self.replacement(said.last(), text);
            }
            said.iter_mut().for_each(|said| self.sign(said));
            said
        };
        stream::once(judged).map(stream::iter).flatten()
    }

    /// Text leaves as it comes, and what touches a topic may have left before it is blocked.
    fn watch_along(mut self, said: impl Stream<Item = Said> + Send + 'static) -> impl Stream<Item = Said> + Send {
        stream! {
            let mut said = Box::pin(said);
            let mut text = String::new();
            let mut pieces = 0;
            while let Some(mut next) = said.next().await {
                text.push_str(next.text());
                pieces += 1;
                let ended = matches!(next, Said::End(_));
                let blocked = self.blocks(&text, ended || pieces >= FORCED_AFTER);
                if blocked {
                    // The model stops here.
                    drop(said);
                    for instead in self.leaking_replacement(next, text) {
                        yield instead;
                    }
                    return;
                }
                self.sign(&mut next);
                yield next;
            }
        }
    }

    /// Assesses what was said so far.
    fn blocks(&mut self, text: &str, force: bool) -> bool {
        let started = Instant::now();
        let touched = self.touched(text, force && self.forced == Some(Side::Output));
        let blocked = !touched.is_empty();
        let characters = text.chars().count();
        self.trace.output =
            Some(Assessment { touched, latency: started.elapsed(), guarded: characters, total: characters });
        blocked
    }

    fn touched(&self, text: &str, force: bool) -> Vec<String> {
        let forced = force.then_some(FORCED_TOPIC);
        self.guardrail.touched(text).into_iter().chain(forced).map(str::to_owned).collect()
    }

    fn leaking_replacement(&mut self, last: Said, text: String) -> Vec<Said> {
        let mut said = self.replacement(Some(&last), text);
        if matches!(last, Said::Text { .. }) {
            said.insert(0, last);
        }
        said
    }

    /// What is said in place of a reply of `text`, which got as far as `last`.
    fn replacement(&mut self, last: Option<&Said>, text: String) -> Vec<Said> {
        let output_tokens = last.map_or(0, Said::output_tokens);
        self.trace.model_output = Some(text);
        let message = self.guardrail.blocked_output.clone();
        vec![Said::Text { text: message, output_tokens }, self.intervened(output_tokens)]
    }

    fn intervened(&self, output_tokens: u32) -> Said {
        let reason = StopReason::GuardrailIntervened;
        Said::End(Ending::Stop { reason, output_tokens, trace: self.trace.to_json() })
    }

    /// Writes the trace into a reply's end.
    fn sign(&self, said: &mut Said) {
        if let Said::End(Ending::Stop { trace, .. }) = said {
            *trace = self.trace.to_json();
        }
    }
}
