//! Faults below HTTP: what toxiproxy's toxics and its `enabled` switch do to a connection, by the same names,
//! attributes and units.
//!
//! They act on whole connections, those already open included, and on what flows to the client. Where several are
//! set, their order is always the same: `timeout` or `reset_peer` swallow; what is left is cut by `limit_data`, sliced
//! by `slicer`, delayed by `latency`, slowed by `bandwidth`; `slow_close` is the last thing to happen.
//!
//! `name` reads and writes them, `shaper` decides which bytes leave when, `stream` is the socket that keeps to it, and
//! `link` is what the server holds of a connection. Source: Shopify/toxiproxy, `toxics/*.go`.

mod link;
mod name;
mod shaper;
mod stream;

use std::time::Duration;

use tokio::sync::watch;

pub(crate) use link::{Closer, Link};
pub use name::{NetworkFaultEntry, UnknownNetworkFault};

/// A fault of the network. One of each kind can be set at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFault {
    /// Every byte arrives late by `latency`, give or take `jitter`, and in order.
    Latency {
        /// Delay of everything.
        latency: Duration,
        /// Largest deviation from it.
        jitter: Duration,
    },
    /// Connections are refused and open ones closed.
    Down,
    /// No more than `rate` kilobytes (1,000 bytes) a second.
    Bandwidth {
        /// Bytes a millisecond, at least 1.
        rate: u32,
    },
    /// A connection stays open for `delay` after it should have been closed.
    SlowClose {
        /// How long.
        delay: Duration,
    },
    /// Nothing arrives any more, and after `timeout` of silence the connection closes; zero: it never does. Lifting
    /// this closes the connection too, since what was swallowed is missing.
    Timeout {
        /// How long.
        timeout: Duration,
    },
    /// At the first byte the connection goes deaf, and after `timeout` it is reset (RST).
    ResetPeer {
        /// How long.
        timeout: Duration,
    },
    /// Bytes leave in slices of `average_size`, give or take `size_variation`, `delay` apart.
    Slicer {
        /// Bytes of an average slice, at least 1.
        average_size: u32,
        /// Largest deviation from it; smaller than it.
        size_variation: u32,
        /// Pause after each slice.
        delay: Duration,
    },
    /// After `bytes` bytes the connection closes.
    LimitData {
        /// How many, counted from when this was set.
        bytes: u64,
    },
}

/// Switches the network's faults while a stand-in runs. Clones share one switch.
#[derive(Debug, Clone)]
pub struct Network(watch::Sender<Conditions>);

impl Default for Network {
    fn default() -> Self {
        Self(watch::Sender::new(Conditions::default()))
    }
}

impl Network {
    /// From now on these faults and no others act, on open connections too. Of several of one kind the last counts.
    pub fn set(&self, faults: impl IntoIterator<Item = NetworkFault>) {
        let mut conditions = Conditions::default();
        faults.into_iter().for_each(|fault| conditions.add(fault));
        self.0.send_replace(conditions);
    }

    /// Adds one fault to those that act, in place of one of its kind.
    pub fn add(&self, fault: NetworkFault) {
        self.0.send_modify(|conditions| conditions.add(fault));
    }

    /// The faults that act, in the order in which they were set.
    pub fn current(&self) -> Vec<NetworkFault> {
        self.0.borrow().0.clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Conditions> {
        self.0.subscribe()
    }
}

/// The faults that act: at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions(Vec<NetworkFault>);

impl Conditions {
    fn add(&mut self, fault: NetworkFault) {
        self.0.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&fault));
        self.0.push(fault);
    }

    pub(crate) fn is_down(&self) -> bool {
        self.0.contains(&NetworkFault::Down)
    }

    pub(crate) fn slow_close(&self) -> Option<Duration> {
        self.find(|fault| if let NetworkFault::SlowClose { delay } = fault { Some(*delay) } else { None })
    }

    fn latency(&self) -> Option<(Duration, Duration)> {
        self.find(
            |fault| {
                if let NetworkFault::Latency { latency, jitter } = fault { Some((*latency, *jitter)) } else { None }
            },
        )
    }

    fn bandwidth(&self) -> Option<u32> {
        self.find(|fault| if let NetworkFault::Bandwidth { rate } = fault { Some(*rate) } else { None })
    }

    fn timeout(&self) -> Option<Duration> {
        self.find(|fault| if let NetworkFault::Timeout { timeout } = fault { Some(*timeout) } else { None })
    }

    fn reset_peer(&self) -> Option<Duration> {
        self.find(|fault| if let NetworkFault::ResetPeer { timeout } = fault { Some(*timeout) } else { None })
    }

    fn limit_data(&self) -> Option<u64> {
        self.find(|fault| if let NetworkFault::LimitData { bytes } = fault { Some(*bytes) } else { None })
    }

    fn find<T>(&self, kind: impl Fn(&NetworkFault) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(kind)
    }
}

/// How a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// In due form (FIN), once what was to be sent is sent.
    Finish,
    /// At once (RST).
    Reset,
}
