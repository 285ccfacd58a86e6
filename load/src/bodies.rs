//! The request bodies, which take turns in their order.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::format::Format;

/// At least one request body.
#[derive(Debug, Clone)]
pub struct Bodies(Arc<[Bytes]>);

/// Prompts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBodies {
    /// There is none.
    #[error("there is no prompt in it; write one a line")]
    None,
    /// A line begins like a JSON object and is none.
    #[error("line {line} begins with {{ and is no JSON object: {source}")]
    Json {
        /// Counted from one.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A body asks for no stream.
    #[error("line {line} does not ask for a stream; add \"stream\": true")]
    NoStream {
        /// Counted from one.
        line: usize,
    },
}

impl Bodies {
    /// One body for each prompt.
    ///
    /// # Errors
    /// When there is no prompt.
    pub fn from_prompts<'a>(
        format: &Format,
        prompts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidBodies> {
        Self::new(prompts.into_iter().map(|prompt| format.body(prompt)).collect())
    }

    /// From a file's text: one prompt a line, or one JSON object a line, which is then a whole body. Blank lines do not
    /// count.
    ///
    /// # Errors
    /// When there is no prompt, or a body cannot be used.
    pub fn from_lines(format: &Format, text: &str) -> Result<Self, InvalidBodies> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let bodies = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| {
            if line.starts_with('{') { whole(format, number, line) } else { Ok(format.body(line)) }
        });
        Self::new(bodies.collect::<Result<_, _>>()?)
    }

    fn new(bodies: Vec<Bytes>) -> Result<Self, InvalidBodies> {
        if bodies.is_empty() { Err(InvalidBodies::None) } else { Ok(Self(bodies.into())) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The body of the `index`-th request.
    pub(crate) fn turn(&self, index: u64) -> Bytes {
        let turn = usize::try_from(index).unwrap_or_default() % self.0.len();
        self.0.get(turn).cloned().unwrap_or_default()
    }
}

fn whole(format: &Format, number: usize, line: &str) -> Result<Bytes, InvalidBodies> {
    let body: Map<String, Value> =
        serde_json::from_str(line).map_err(|source| InvalidBodies::Json { line: number, source })?;
    let streams = body.get("stream") == Some(&Value::Bool(true));
    match format {
        Format::OpenAi { .. } if !streams => Err(InvalidBodies::NoStream { line: number }),
        _ => Ok(Bytes::copy_from_slice(line.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_and_whole_bodies_take_turns_in_their_order() {
        let format = Format::BroBuddy { mode: Some("zen".to_owned()) };
        let bodies = Bodies::from_lines(&format, "Yo\n\n  {\"messages\":[]}  \n").unwrap();
        let turns: Vec<_> = (0..3).map(|index| String::from_utf8(bodies.turn(index).to_vec()).unwrap()).collect();
        let prompt = r#"{"message":"Yo","mode":"zen"}"#;
        assert_eq!(turns, [prompt, r#"{"messages":[]}"#, prompt]);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_line() {
        let openai = Format::OpenAi { model: "m".to_owned() };
        let error = |text: &str| Bodies::from_lines(&openai, text).unwrap_err().to_string();
        assert!(error("\n \n").contains("no prompt"));
        assert!(error("Yo\n{\"a\":").contains("line 2"));
        assert!(error("{\"messages\":[]}").contains("line 1 does not ask for a stream"));
    }
}
