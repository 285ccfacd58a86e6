//! What a run does: where to, how much, for how long. A plan can only hold what can be run.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::arrivals::{Arrivals, Rate};
use crate::auth::Authorizer;
use crate::bodies::Bodies;
use crate::endpoint::Endpoint;
use crate::extent::{Extent, WarmUp};
use crate::format::Format;
use crate::report;

/// A run that can be made.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) endpoint: Endpoint,
    pub(crate) format: Format,
    pub(crate) bodies: Bodies,
    pub(crate) headers: HeaderMap,
    pub(crate) authorizer: Option<Arc<Authorizer>>,
    pub(crate) connections: Connections,
    pub(crate) load: Load,
    pub(crate) warm_up: WarmUp,
    pub(crate) extent: Extent,
    pub(crate) limits: Limits,
}

/// How requests are started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Closed loop: each client starts a request when its last one has ended.
    Closed {
        /// How many clients.
        concurrency: NonZeroUsize,
        /// Over which time their first requests are spread.
        ramp_up: Duration,
    },
    /// Open loop: on a schedule, whatever became of those before.
    Open {
        /// Requests per second.
        rate: Rate,
        /// How they are spread.
        arrivals: Arrivals,
        /// What the schedule is drawn from.
        seed: u64,
        /// Requests under way at once, at most. Others wait, and their waiting counts.
        max_in_flight: NonZeroUsize,
    },
}

/// What becomes of a connection after a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connections {
    /// It is kept, and used again.
    #[default]
    Kept,
    /// It is closed: each request opens its own.
    Fresh,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One request, from its actual start.
    pub request: Duration,
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// From the moment when no more requests are started to the end of the run.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request: Duration::from_secs(60), connect: Duration::from_secs(5), drain: Duration::from_secs(30) }
    }
}

impl Plan {
    /// One client for ten seconds.
    #[must_use]
    pub fn new(endpoint: Endpoint, format: Format, bodies: Bodies) -> Self {
        Self {
            endpoint,
            format,
            bodies,
            headers: HeaderMap::new(),
            authorizer: None,
            connections: Connections::Kept,
            load: Load::Closed { concurrency: NonZeroUsize::MIN, ramp_up: Duration::ZERO },
            warm_up: WarmUp::None,
            extent: Extent::duration_of(Duration::from_secs(10)),
            limits: Limits::default(),
        }
    }

    /// How requests are started. A rate that changes needs an extent with a duration.
    #[must_use]
    pub fn load(self, load: Load) -> Self {
        Self { load, ..self }
    }

    /// What is left out at the beginning.
    #[must_use]
    pub fn warm_up(self, warm_up: WarmUp) -> Self {
        Self { warm_up, ..self }
    }

    /// When no more requests are started.
    #[must_use]
    pub fn extent(self, extent: Extent) -> Self {
        Self { extent, ..self }
    }

    /// How long things may take.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What becomes of a connection after a reply.
    #[must_use]
    pub fn connections(self, connections: Connections) -> Self {
        Self { connections, ..self }
    }

    /// A header of every request, in place of any other of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What signs the requests.
    #[must_use]
    pub fn authorizer(self, authorizer: Authorizer) -> Self {
        Self { authorizer: Some(Arc::new(authorizer)), ..self }
    }

    /// The plan, as a report tells it.
    #[must_use]
    pub fn describe(&self, ended: report::Ended) -> report::Run {
        let (mode, model) = match &self.format {
            Format::BroBuddy { mode } => (mode.clone(), None),
            Format::OpenAi { model } => (None, Some(model.clone())),
        };
        report::Run {
            url: self.endpoint.without_query(),
            format: self.format.name().to_owned(),
            mode,
            model,
            prompts: self.bodies.count(),
            load: match self.load {
                Load::Closed { concurrency, ramp_up } => {
                    report::LoadReport::Closed { concurrency: concurrency.get(), ramp_up_s: ramp_up.as_secs_f64() }
                }
                Load::Open { rate, arrivals, seed, max_in_flight } => report::LoadReport::Open {
                    arrivals: arrivals.to_string(),
                    rate: rate.from(),
                    rate_at_end: rate.to(),
                    seed,
                    max_in_flight: max_in_flight.get(),
                },
            },
            requests: self.extent.requests().map(std::num::NonZeroU64::get),
            duration_s: self.extent.duration().map(|duration| duration.as_secs_f64()),
            warm_up: match self.warm_up {
                WarmUp::None => report::WarmUpReport::None,
                WarmUp::Requests(count) => report::WarmUpReport::Requests(count.get()),
                WarmUp::Duration(duration) => report::WarmUpReport::Seconds(duration.as_secs_f64()),
            },
            timeout_s: self.limits.request.as_secs_f64(),
            ended,
        }
    }
}
