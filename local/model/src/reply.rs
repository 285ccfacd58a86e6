//! One reply in the making: prefill in chunks, then a token at a time.

use candle_core::Tensor;
use candle_transformers::{
    generation::{LogitsProcessor, Sampling},
    utils::apply_repeat_penalty,
};
use local_bedrock::{Failure, Piece, Step, StopReason};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    network::{CONTEXT_TOKENS, Network},
    prefixes::Prefixes,
    vocabulary::{Decoder, Tokens, Vocabulary},
};

/// Prompt tokens fed at a time. Other replies wait as long, so that it cannot be the whole prompt.
const PREFILL_CHUNK: usize = 32;
/// How many of the likeliest tokens are considered at all, and the probability mass if the prompt names none:
/// the unlikely rest of a small model's vocabulary is noise.
const TOP_K: usize = 40;
const DEFAULT_TOP_P: f64 = 0.95;
const DEFAULT_TEMPERATURE: f64 = 0.7;
/// Without a penalty for what was said in the last so many tokens, a small model at a low temperature says nothing
/// else any more.
const REPEAT_PENALTY: f32 = 1.1;
const REPEAT_WINDOW: usize = 64;

/// A reply that was asked for.
pub(crate) struct Job {
    pub(crate) prompt: Tokens,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) temperature: Option<f32>,
    pub(crate) top_p: Option<f32>,
    pub(crate) seed: u64,
    /// Without a bound, because a reply is bounded, and a slow reader must not hold up the other replies.
    pub(crate) steps: UnboundedSender<Result<Step, Failure>>,
}

/// Whether a reply wants another turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Again,
    Over,
}

pub(crate) struct Reply<'v> {
    vocabulary: &'v Vocabulary,
    decoder: Decoder<'v>,
    sampler: LogitsProcessor,
    network: Network,
    /// The prompt and what was generated; all but the last few were fed.
    tokens: Vec<u32>,
    system_len: usize,
    max_len: usize,
    /// Tokens sampled since the last piece of whole characters.
    unsent: u32,
    steps: UnboundedSender<Result<Step, Failure>>,
}

impl<'v> Reply<'v> {
    /// A reply that begins where what is kept of its prompt ends, or on `untouched`.
    pub(crate) fn new(
        job: Job,
        vocabulary: &'v Vocabulary,
        prefixes: &mut Prefixes<Network>,
        untouched: &Network,
    ) -> Self {
        let network = prefixes.longest(&job.prompt.all).unwrap_or_else(|| untouched.clone());
        let Tokens { all: tokens, system: system_len } = job.prompt;
        let prompt_len = tokens.len();
        let max_tokens = job.max_tokens.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        Self {
            vocabulary,
            decoder: vocabulary.decoder(),
            sampler: LogitsProcessor::from_sampling(job.seed, sampling(job.temperature, job.top_p)),
            network,
            tokens,
            system_len,
            max_len: prompt_len.saturating_add(max_tokens).min(CONTEXT_TOKENS),
            unsent: 0,
            steps: job.steps,
        }
    }

    /// Computes one token of the reply, or one chunk of the prompt.
    pub(crate) fn advance(&mut self, prefixes: &mut Prefixes<Network>) -> Turn {
        if self.steps.is_closed() {
            return Turn::Over;
        }
        let turn = self.compute(prefixes).unwrap_or_else(|error| {
            self.send(Err(Failure(format!("The model failed: {error}"))));
            Turn::Over
        });
        if turn == Turn::Over {
            self.keep(prefixes);
        }
        turn
    }

    fn compute(&mut self, prefixes: &mut Prefixes<Network>) -> Result<Turn, tokenizers::Error> {
        let fed = self.network.fed();
        // A chunk ends where the system prompt does, for that state is worth keeping.
        let end = if fed < self.system_len { self.system_len } else { self.tokens.len() };
        let next: Vec<u32> = self.tokens.iter().copied().take(end).skip(fed).take(PREFILL_CHUNK).collect();
        let logits = self.network.feed(&next)?;
        let fed = self.network.fed();
        if fed == self.system_len {
            self.keep(prefixes);
        }
        if fed < self.tokens.len() {
            return Ok(Turn::Again);
        }
        self.token(&logits)
    }

    fn token(&mut self, logits: &Tensor) -> Result<Turn, tokenizers::Error> {
        let recent = self.tokens.get(self.tokens.len().saturating_sub(REPEAT_WINDOW)..).unwrap_or_default();
        let token = self.sampler.sample(&apply_repeat_penalty(logits, REPEAT_PENALTY, recent)?)?;
        if self.vocabulary.ends(token) {
            return Ok(self.finish(StopReason::EndTurn));
        }
        self.tokens.push(token);
        self.unsent += 1;
        if let Some(text) = self.decoder.step(token)? {
            let tokens = std::mem::take(&mut self.unsent);
            if self.send(Ok(Step::Piece(Piece { text, tokens }))) == Turn::Over {
                return Ok(Turn::Over);
            }
        }
        if self.tokens.len() < self.max_len {
            return Ok(Turn::Again);
        }
        Ok(self.finish(if self.max_len == CONTEXT_TOKENS {
            StopReason::ModelContextWindowExceeded
        } else {
            StopReason::MaxTokens
        }))
    }

    fn keep(&self, prefixes: &mut Prefixes<Network>) {
        prefixes.keep(self.tokens.iter().copied().take(self.network.fed()).collect(), self.network.clone());
    }

    /// Accounts for tokens that made no whole character, and says that this is all.
    fn finish(&mut self, reason: StopReason) -> Turn {
        if self.unsent > 0 {
            self.send(Ok(Step::Piece(Piece { text: String::new(), tokens: self.unsent })));
        }
        self.send(Ok(Step::Finish(reason)));
        Turn::Over
    }

    fn send(&self, step: Result<Step, Failure>) -> Turn {
        match self.steps.send(step) {
            Ok(()) => Turn::Again,
            Err(_gone) => Turn::Over,
        }
    }
}

fn sampling(temperature: Option<f32>, top_p: Option<f32>) -> Sampling {
    let temperature = temperature.map_or(DEFAULT_TEMPERATURE, f64::from);
    let p = top_p.map_or(DEFAULT_TOP_P, f64::from);
    // Both mean the likeliest token, and both are divisors or bounds that must not be 0.
    if temperature < 1e-6 || p < 1e-6 {
        return Sampling::ArgMax;
    }
    Sampling::TopKThenTopP { k: TOP_K, p, temperature }
}

#[cfg(test)]
mod tests {
    use local_bedrock::Prompt;
    use serde_json::{Value, json};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::network::ModelFile;

    struct Bench {
        vocabulary: Vocabulary,
        untouched: Network,
        prefixes: Prefixes<Network>,
    }

    impl Bench {
        fn load() -> Self {
            let path = crate::fetch(&crate::default_cache_dir().unwrap(), |_| {}).unwrap();
            let file = ModelFile::open(&path).unwrap();
            let vocabulary = Vocabulary::of(&file.header).unwrap();
            Self { vocabulary, untouched: file.load().unwrap(), prefixes: Prefixes::new() }
        }

        /// The reply's text, and how many turns went before its first token.
        fn ask(&mut self, messages: &[Value]) -> (String, usize) {
            let system = "Answer in one short sentence. ".repeat(12);
            let body = json!({"system": [{"text": system}], "messages": messages});
            let prompt = Prompt::parse(body.to_string().as_bytes()).unwrap();
            let (steps, mut read) = unbounded_channel();
            let prompt = self.vocabulary.encode(&prompt).unwrap();
            assert!(prompt.system > 2 * PREFILL_CHUNK && prompt.system < 3 * PREFILL_CHUNK);
            let job = Job { prompt, max_tokens: Some(12), temperature: Some(0.0), top_p: None, seed: 0, steps };
            let mut reply = Reply::new(job, &self.vocabulary, &mut self.prefixes, &self.untouched);
            let mut turns = 0;
            while reply.advance(&mut self.prefixes) == Turn::Again && read.is_empty() {
                turns += 1;
            }
            while reply.advance(&mut self.prefixes) == Turn::Again {}
            let mut text = String::new();
            while let Ok(Ok(Step::Piece(piece))) = read.try_recv() {
                text.push_str(&piece.text);
            }
            (text, turns)
        }
    }

    #[test]
    fn a_system_prompt_and_earlier_turns_are_computed_once() {
        let turn = |role: &str, text: &str| json!({"role": role, "content": [{"text": text}]});
        let mut bench = Bench::load();
        let question = turn("user", &"What is the capital of France? ".repeat(6));
        let (answer, turns) = bench.ask(std::slice::from_ref(&question));
        assert_eq!(turns, 4, "three chunks of the system prompt, and one of two of the question");
        let (_, turns) = bench.ask(&[turn("user", "And of Spain?")]);
        assert_eq!(turns, 0, "the system prompt is known");
        let talk = [question, turn("assistant", &answer), turn("user", "And of Spain?")];
        assert_eq!(bench.ask(&talk).1, 0, "so is the first turn");
    }
}
