//! What is asked of an arm.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use crate::model;

/// A closed loop: each client asks again when its last reply has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) clients: NonZeroUsize,
    pub(crate) amount: Amount,
    /// The first so many requests are in no figure.
    pub(crate) warm_up: u64,
    /// The length of each reply.
    pub(crate) tokens: u32,
}

/// How many requests are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    Requests(NonZeroU64),
    /// Those that start in this time.
    During(Duration),
}

impl Load {
    /// How long its model takes, at least.
    pub(crate) fn shortest(&self) -> Duration {
        let reply = model::reply(self.tokens);
        let one_after_the_other = |requests: u64| {
            let each = requests.div_ceil(self.clients.get() as u64);
            reply * u32::try_from(each).unwrap_or(u32::MAX)
        };
        let measured = match self.amount {
            Amount::Requests(count) => one_after_the_other(count.get()),
            Amount::During(time) => time + reply,
        };
        one_after_the_other(self.warm_up) + measured
    }
}
