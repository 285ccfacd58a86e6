//! A generator without a model: a given text at a given pace.

use std::time::Duration;

use futures::stream;
use tokio::time::{Instant, sleep_until};

use crate::{Generation, Generator, Piece, Prompt, Refusal, Step, StopReason};

/// Says the same thing every time, on an absolute schedule: token `k`, counted from 0, is due at
/// `ttft + k × gap` after the request, so that a late token does not delay the ones behind it.
///
/// Timers are those of Tokio: a token comes up to one millisecond late, never early.
#[derive(Debug, Clone)]
pub struct Scripted {
    ttft: Duration,
    gap: Duration,
    pieces: Vec<String>,
    stop_reason: StopReason,
}

const TEXT: &str = "This reply is scripted: there is no language model behind it. \
    What you see is its pace, one token at a time, all the way from the model to you. ";

impl Scripted {
    /// Time from the request to the first token. 50 ms if not set.
    #[must_use]
    pub fn ttft(mut self, ttft: Duration) -> Self {
        self.ttft = ttft;
        self
    }

    /// Time from each token to the next. 5 ms if not set.
    #[must_use]
    pub fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// A text of `count` tokens, a word each. 60 if not set.
    #[must_use]
    pub fn tokens(self, count: usize) -> Self {
        self.pieces(TEXT.split_inclusive(' ').cycle().take(count))
    }

    /// Says `pieces`, one token each.
    #[must_use]
    pub fn pieces(mut self, pieces: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.pieces = pieces.into_iter().map(Into::into).collect();
        self
    }

    /// Ends with `reason` after the last piece. [`StopReason::EndTurn`] if not set.
    #[must_use]
    pub fn stop_reason(mut self, reason: StopReason) -> Self {
        self.stop_reason = reason;
        self
    }
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            ttft: Duration::from_millis(50),
            gap: Duration::from_millis(5),
            pieces: Vec::new(),
            stop_reason: StopReason::EndTurn,
        }
        .tokens(60)
    }
}

impl Generator for Scripted {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let first_due = Instant::now() + self.ttft;
        let (gap, reason) = (self.gap, self.stop_reason);
        let pieces = self.pieces.clone().into_iter();
        let steps = stream::unfold(Some((first_due, pieces)), move |script| async move {
            let (due, mut pieces) = script?;
            let Some(text) = pieces.next() else { return Some((Ok(Step::Finish(reason)), None)) };
            sleep_until(due).await;
            Some((Ok(Step::Piece(Piece::token(text))), Some((due + gap, pieces))))
        });
        Ok(Generation::new(estimated_tokens(&prompt), steps))
    }
}

/// A token is about four characters of English.
fn estimated_tokens(prompt: &Prompt) -> u32 {
    let texts = prompt.system().iter().map(String::as_str).chain(prompt.messages().iter().map(crate::Message::text));
    let characters: usize = texts.map(|text| text.chars().count()).sum();
    u32::try_from(characters.div_ceil(4)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn prompt() -> Prompt {
        Prompt::parse(br#"{"messages":[{"role":"user","content":[{"text":"Yo, bro!"}]}]}"#).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_come_on_schedule_and_a_late_reader_does_not_shift_it() {
        let (ttft, gap) = (Duration::from_millis(40), Duration::from_millis(10));
        let scripted = Scripted::default().ttft(ttft).gap(gap).pieces(["a", "b", "c", "d"]);
        let asked = Instant::now();
        let mut steps = scripted.generate(prompt()).unwrap().steps;
        let mut times = Vec::new();
        while let Some(Ok(Step::Piece(piece))) = steps.next().await {
            times.push((piece.text, asked.elapsed().as_millis()));
            if times.len() == 2 {
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        }
        let expected = [("a", 40), ("b", 50), ("c", 65), ("d", 70)].map(|(text, at)| (text.to_owned(), at));
        assert_eq!(times, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_script_has_the_length_asked_for_and_then_finishes() {
        let generation = Scripted::default().tokens(7).generate(prompt()).unwrap();
        assert_eq!(generation.input_tokens, 2);
        let steps: Vec<_> = generation.steps.map(Result::unwrap).collect().await;
        assert_eq!(steps.len(), 8);
        assert_eq!(steps.last(), Some(&Step::Finish(StopReason::EndTurn)));
    }
}
