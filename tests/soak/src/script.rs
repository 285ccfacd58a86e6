//! The model behind the stand-in: a reply of its own for each request, at a fixed pace; and what else is said where a
//! fault has it.

use std::time::Duration;

use local_bedrock::{Generation, Generator, Prompt, Refusal, Scripted, Speech};

use crate::marker::{Length, Marker};

/// From a request to its first token.
const FIRST_TOKEN: Duration = Duration::from_millis(40);
/// From one token to the next.
const GAP: Duration = Duration::from_millis(1);
/// Tokens of a reply.
pub(crate) const TOKENS: usize = 60;
/// Bytes of a token in a large reply.
const LARGE_TOKEN: usize = 64 * 1024;
/// What a guardrail says in place of a reply.
pub(crate) const BLOCKED: &str = "That is not for me to say, bro.";

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// The script.
    Script,
    /// No token at all.
    Nothing,
    /// The script in one delta, over and over.
    Repeated {
        /// Its size.
        kibibytes: u32,
    },
    /// Text that is hard on whoever cuts, escapes or shows it.
    Hostile,
    /// A guardrail's message.
    Blocked,
}

impl Said {
    /// The deltas, in order.
    pub(crate) fn deltas(self, marker: &Marker) -> Vec<String> {
        match self {
            Self::Script => script(marker).collect(),
            Self::Nothing => Vec::new(),
            Self::Repeated { kibibytes } => {
                // The script is ASCII, a byte each character.
                let text: String = script(marker).collect();
                vec![text.chars().cycle().take(kibibytes as usize * 1024).collect()]
            }
            Self::Hostile => Speech::HOSTILE.iter().map(ToString::to_string).collect(),
            Self::Blocked => vec![BLOCKED.to_owned()],
        }
    }
}

/// The tokens of the reply to a request. No two requests have one in common, so that a reply which is another's, or
/// partly, is seen.
fn script(marker: &Marker) -> impl Iterator<Item = String> {
    let Marker { number, length, .. } = *marker;
    (0..TOKENS).map(move |k| {
        let token = format!("{number}.{k} ");
        match length {
            Length::Usual => token,
            Length::Large => token.clone() + &" ".repeat(LARGE_TOKEN - token.len()),
        }
    })
}

/// Answers each prompt as its marker says.
pub(crate) struct Script;

impl Generator for Script {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let unmarked = || Refusal::Unsuitable("the prompt is none of the soak's".to_owned());
        let marker = Marker::of(&prompt).ok_or_else(unmarked)?;
        Scripted::default().ttft(FIRST_TOKEN).gap(GAP).pieces(script(&marker)).generate(prompt)
    }
}
