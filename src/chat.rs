//! The domain: a conversation that keeps the rules, and the turn that answers it.
//!
//! Nothing here knows HTTP, SSE, Lambda or AWS. [`Conversation`] is what may be asked, [`Turn`] turns a
//! model's stream into [`ChatEvent`]s under time-outs, and [`ChatError`] is everything that can go wrong
//! once a request was accepted.

mod conversation;
mod error;
mod event;
mod patience;
mod turn;

pub use conversation::{Conversation, Message, Role, RuleBroken};
pub use error::ChatError;
pub use event::{ChatEvent, Usage};
pub use turn::{Timeouts, Turn};
