//! Measures how a chat endpoint streams: the time to first token (TTFT), the gaps between tokens, and where the time
//! went. The program `bro-load` is a command line around this library; `load/README.md` defines every figure.
//!
//! The way of a run:
//!
//! 1. A [`plan`] says where to ([`endpoint`], in a [`format`](mod@format)), what to send ([`bodies`], [`auth`]), how
//!    much ([`arrivals`], [`extent`]) and within which limits.
//! 2. [`run`](mod@run) starts its requests, in a closed loop or on a schedule.
//! 3. An exchange makes each on a connection whose every read is timed, and becomes a [`sample`] with its
//!    [`outcome`].
//! 4. A [`tally`] adds samples up: [`latencies`], each a [`distribution`], the [`waterfall`], the [`timeline`], and
//!    whether replies came as [`streaming`] ones.
//! 5. A [`report`] is a tally as a JSON document, of which several merge to one; [`table`] and [`html`] show it to
//!    people, and [`threshold`] judges it.
//!
//! A time counts from the *intended* start, so that a server that keeps requests waiting cannot hide it. Another
//! client's samples can be recorded in a tally as well: [`Sample`]'s fields are all there is to know.

pub mod arrivals;
pub mod auth;
pub mod bodies;
mod client;
mod connection;
pub mod distribution;
pub mod endpoint;
mod exchange;
pub mod extent;
pub mod format;
pub mod html;
pub mod latencies;
pub mod outcome;
pub mod plan;
pub mod progress;
pub mod report;
pub mod run;
pub mod sample;
mod sse;
pub mod streaming;
pub mod table;
pub mod tally;
pub mod threshold;
pub mod timeline;
pub mod waterfall;

pub use arrivals::{Arrivals, Rate};
pub use bodies::Bodies;
pub use client::NoClient;
pub use connection::TlsUnavailable;
pub use distribution::Distribution;
pub use endpoint::Endpoint;
pub use extent::{Extent, WarmUp};
pub use format::Format;
pub use latencies::Metric;
pub use outcome::Outcome;
pub use plan::{Connections, Limits, Load, Plan};
pub use progress::Progress;
pub use report::Report;
pub use run::{Finished, RunError, run};
pub use sample::{Phases, Sample, ServerTiming, Start};
pub use tally::Tally;
