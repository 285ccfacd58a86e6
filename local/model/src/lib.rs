//! A small real language model as a [`Generator`](local_bedrock::Generator): SmolLM2-135M-Instruct, or another GGUF
//! file of its family (llama architecture, ChatML), on candle, on the CPU.
//!
//! [`fetch`] brings the model file into a cache directory, [`load`] makes a [`Model`] of it. One request then goes
//! through the files in this order: `model` (a slot, or a throttle) → `vocabulary` (ChatML tokens) → `worker` (its
//! own thread, replies taking turns) → `prefixes` (what of the prompt was computed before) → `reply` (prefill,
//! sampling, whole characters) → `network` (candle).
//!
//! Start the process with `CANDLE_NUM_THREADS=1`. candle's threads wait for each other by spinning, several thousand
//! times a second: a second one gains a third on an idle machine, and where another process wants its core a reply
//! slows down to a fifth. candle reads the variable once and has no other way to be told. `bro-stack` sees to it.
//!
//! As with a model on Bedrock: real text at a real pace, temperature, top-p and token limit honoured, a throttle when
//! all slots are taken, a prompt beyond the context refused. Not so: with 135 million parameters it is often wrong and
//! minds a system prompt loosely, it has no guardrail and no tools, and a first token takes seconds on a slow machine.
//!
//! Not here: the protocol, `maxTokens` and stop sequences as the client sees them (`local-bedrock`).

mod fetch;
mod model;
mod network;
mod prefixes;
mod reply;
mod vocabulary;
mod worker;

pub use fetch::{FetchError, Progress, default_cache_dir, fetch};
pub use model::{Model, ModelError, load};
