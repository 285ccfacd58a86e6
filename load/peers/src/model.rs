//! The model behind the stand-in for Bedrock: the first token after 5 ms, another each 5 ms, as many as the prompt asks for.

use std::time::{Duration, Instant};

use futures::stream;
use local_bedrock::{Failure, Generation, Generator, Message, Piece, Prompt, Refusal, Step, StopReason};

use crate::pace::Pace;

/// The inference profile that every arm asks for.
pub(crate) const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
/// From a request to its first token.
pub(crate) const FIRST_TOKEN: Duration = Duration::from_millis(5);
/// From one token to the next.
pub(crate) const GAP: Duration = Duration::from_millis(5);

/// How long a reply of so many tokens takes.
pub(crate) fn reply(tokens: u32) -> Duration {
    FIRST_TOKEN + GAP * tokens.saturating_sub(1)
}

/// What a user must say to get a reply of so many tokens.
pub(crate) fn prompt(tokens: u32) -> String {
    format!("Yo! Tell me something in {tokens} tokens, will you?")
}

/// Says as many words as the last message asks for.
///
/// Each is due on an absolute schedule, so that a late one does not delay those behind it.
pub(crate) struct Paced;

impl Generator for Paced {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let asked = Instant::now();
        let tokens = prompt.messages().last().and_then(|message| length(message.text()));
        let tokens = tokens.ok_or_else(|| Refusal::Unsuitable("the prompt names no number of tokens".to_owned()))?;
        let pace = Pace::new().map_err(|error| Refusal::Failed(error.to_string()))?;
        let steps = stream::try_unfold((pace, 0), move |(mut pace, said)| async move {
            if said > tokens {
                return Ok(None);
            }
            if said == tokens {
                return Ok(Some((Step::Finish(StopReason::EndTurn), (pace, said + 1))));
            }
            pace.until(asked + FIRST_TOKEN + said * GAP).await.map_err(|error| Failure(error.to_string()))?;
            Ok(Some((Step::Piece(Piece::token("word ")), (pace, said + 1))))
        });
        Ok(Generation::new(input_tokens(&prompt), steps))
    }
}

/// The first number in a text.
fn length(text: &str) -> Option<u32> {
    text.split_ascii_whitespace().find_map(|word| word.parse().ok())
}

/// A token is about four characters of English.
fn input_tokens(prompt: &Prompt) -> u32 {
    let texts = prompt.system().iter().map(String::as_str).chain(prompt.messages().iter().map(Message::text));
    u32::try_from(texts.map(str::len).sum::<usize>() / 4).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_reply_has_as_many_tokens_as_the_prompt_asks_for_and_none_is_early() {
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"{}"}}]}}]}}"#, prompt(3));
        let asked = Instant::now();
        let prompt = Prompt::parse(body.as_bytes()).expect("a prompt");
        let mut steps = Paced.generate(prompt).expect("a reply").into_steps();
        for k in 0..3 {
            assert_eq!(steps.next().await, Some(Ok(Step::Piece(Piece::token("word ")))));
            assert!(asked.elapsed() >= FIRST_TOKEN + k * GAP);
        }
        assert_eq!(steps.next().await, Some(Ok(Step::Finish(StopReason::EndTurn))));
        assert_eq!(steps.next().await, None);
    }
}
