//! The state of one sandbox between the function URL, which brings invocations, and the process,
//! which asks for them and answers: who may say what when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answering::Answering;
use super::extensions::Extensions;
use super::init::Init;
use super::timeline::Timeline;
use crate::config::{Freezing, SandboxSettings};
use crate::failure::Failure;
use crate::fleet::{Number, Roster};
use crate::function::Function;
use crate::invocation::{Delivery, Pending, ReplySender};
use crate::logs::{Logs, PlatformRecord};
use crate::sandbox::ProcessGroup;

mod lifecycle;
#[cfg(test)]
mod tests;

/// How long a process may live on after it has reported that its initialisation failed.
const INIT_ERROR_GRACE: Duration = Duration::from_millis(500);

/// The time limit a sandbox is held to at present.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// The process must ask for its first invocation.
    Init(Instant),
    /// The process must answer, and ask for the next invocation.
    Invocation(Instant),
    /// The process waits for an invocation, as long as it takes.
    None,
}

/// Why a call of the Runtime API is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The call names an invocation that this sandbox is not at work on.
    InvalidRequestId,
    /// The call does not fit what the process has done so far.
    InvalidStateTransition,
}

enum State {
    /// No long poll is open: the process starts, or has lost its connection. Keeps the invocation
    /// that is to be delivered first.
    Away(Option<Pending>),
    /// A long poll is open.
    Polling(oneshot::Sender<Delivery>),
    /// The process has the invocation and has not begun to answer.
    Invoked { id: String, reply: ReplySender },
    /// The answer is being read.
    Answering { id: String },
    /// The answer is complete; the process has not asked for the next invocation.
    Answered { id: String },
    /// The sandbox has ended, or is about to.
    Closed,
}

/// What changes together.
struct Inner {
    state: State,
    init: Init,
    /// The sandbox is to end as soon as it has nothing to do.
    retiring: Option<Failure>,
    /// The invocation at hand, for the platform's own log lines.
    timeline: Option<Timeline>,
    process: Option<ProcessGroup>,
}

/// One sandbox's side of the Runtime API.
pub(crate) struct Exchange {
    number: Number,
    function: Arc<Function>,
    settings: SandboxSettings,
    inner: Mutex<Inner>,
    limit: watch::Sender<Limit>,
    retired: CancellationToken,
    extensions: Extensions,
    roster: Arc<Roster>,
    logs: Arc<Logs>,
}

impl Exchange {
    /// The exchange of a sandbox that is about to start, and the limit it is to be held to.
    pub(crate) fn new(
        number: Number,
        function: Arc<Function>,
        settings: SandboxSettings,
        roster: Arc<Roster>,
        logs: Arc<Logs>,
    ) -> (Arc<Self>, watch::Receiver<Limit>) {
        let (limit, limited) = watch::channel(Limit::None);
        let inner = Inner {
            state: State::Away(None),
            init: Init::first(Instant::now()),
            retiring: None,
            timeline: None,
            process: None,
        };
        let (retired, extensions) = (CancellationToken::new(), Extensions::default());
        let inner = Mutex::new(inner);
        (Arc::new(Self { number, function, settings, inner, limit, retired, extensions, roster, logs }), limited)
    }

    pub(crate) fn number(&self) -> Number {
        self.number
    }

    pub(crate) fn function(&self) -> &Function {
        &self.function
    }

    pub(crate) fn settings(&self) -> SandboxSettings {
        self.settings
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.logs
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Registration closes when the initialisation ends.
    pub(super) fn is_initialising(&self) -> bool {
        self.lock().init.began().is_some()
    }

    /// Delivers an invocation, or keeps it until the process asks. A sandbox that has ended gives it back, and
    /// is not to be chosen again.
    pub(crate) fn invoke(&self, pending: Pending) -> Result<(), Pending> {
        let mut inner = self.lock();
        match std::mem::replace(&mut inner.state, State::Closed) {
            // It is about to end, or died while it was idle. Nothing was delivered: another sandbox may have it.
            polling @ State::Polling(_)
                if inner.retiring.is_some() || inner.process.is_some_and(ProcessGroup::has_ended) =>
            {
                inner.state = polling;
                self.withdraw();
                Err(pending)
            }
            State::Polling(poll) => {
                self.deliver(&mut inner, poll, pending);
                Ok(())
            }
            State::Away(None) => {
                self.keep(&mut inner, pending);
                Ok(())
            }
            other => {
                inner.state = other;
                Err(pending)
            }
        }
    }

    fn deliver(&self, inner: &mut Inner, poll: oneshot::Sender<Delivery>, pending: Pending) {
        if let (Freezing::BetweenInvocations, Some(process)) = (self.settings.freezing, inner.process) {
            process.thaw();
        }
        let Pending { invocation, reply } = pending;
        let (id, trace_id) = (invocation.request_id.clone(), invocation.trace_id.clone());
        let now = Instant::now();
        // An initialisation within the invocation has used up some of its time.
        let until = inner.init.deadline().unwrap_or(now + self.function.invocation_limit());
        let deadline = SystemTime::now() + until.saturating_duration_since(now);
        if let Err(Delivery { invocation, .. }) = poll.send(Delivery { invocation, deadline }) {
            // The process has closed its poll in the meantime, and will ask again.
            return self.keep(inner, Pending { invocation, reply });
        }
        self.limit.send_replace(Limit::Invocation(until));
        let deadline_ms = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.extensions.invoked(&id, deadline_ms, &self.function.arn(), &trace_id);
        self.logs.platform(&PlatformRecord::start(&id));
        inner.timeline = Some(Timeline::delivered(id.clone(), inner.init.take_duration()));
        inner.state = State::Invoked { id, reply };
    }

    /// Keeps an invocation until the process asks. One that has lost its long poll must do so within the
    /// invocation's own limit, lest the client wait for ever.
    fn keep(&self, inner: &mut Inner, pending: Pending) {
        if inner.init.began().is_none() {
            self.limit.send_replace(Limit::Invocation(Instant::now() + self.function.invocation_limit()));
        }
        inner.state = State::Away(Some(pending));
    }

    /// The process asks for its next invocation.
    pub(super) async fn next(&self) -> Result<Delivery, Refusal> {
        self.poll()?.await.map_err(|_| Refusal::InvalidStateTransition)
    }

    fn poll(&self) -> Result<oneshot::Receiver<Delivery>, Refusal> {
        let mut inner = self.lock();
        let refused = matches!(inner.state, State::Invoked { .. } | State::Answering { .. } | State::Closed);
        if refused || matches!(inner.init, Init::Failed { .. }) {
            return Err(Refusal::InvalidStateTransition);
        }
        let phase = inner.init.phase();
        if let Some(took) = inner.init.ready() {
            self.logs.started(self.number, took);
            self.logs.platform(&PlatformRecord::init_report(phase, took, None));
        }
        let (poll, receiver) = oneshot::channel();
        match std::mem::replace(&mut inner.state, State::Closed) {
            State::Away(Some(pending)) => self.deliver(&mut inner, poll, pending),
            _ if inner.retiring.is_some() => {
                self.report(&mut inner);
                // The poll stays open: a refusal would be the last thing the process logs.
                inner.state = State::Polling(poll);
                self.retired.cancel();
            }
            _ => {
                self.report(&mut inner);
                inner.state = State::Polling(poll);
                self.limit.send_replace(Limit::None);
                if let (Freezing::BetweenInvocations, Some(process)) = (self.settings.freezing, inner.process) {
                    process.freeze();
                }
                self.roster.set_idle(self.number);
            }
        }
        Ok(receiver)
    }

    /// The process begins its answer to the invocation `id`.
    pub(super) fn answering(self: &Arc<Self>, id: &str) -> Result<Answering, Refusal> {
        let mut inner = self.lock();
        match std::mem::replace(&mut inner.state, State::Closed) {
            State::Invoked { id: current, reply } if current == id => {
                inner.state = State::Answering { id: current };
                inner.timeline.iter_mut().for_each(Timeline::began);
                Ok(Answering::new(Arc::clone(self), id.to_owned(), reply))
            }
            other => {
                let repeated = matches!(&other, State::Answering { id: current } if current == id);
                inner.state = other;
                Err(if repeated { Refusal::InvalidStateTransition } else { Refusal::InvalidRequestId })
            }
        }
    }

    /// The answer to the invocation `id` is complete. Said before the client learns of the end, so that its
    /// next request finds the sandbox handing over.
    pub(super) fn complete(&self, id: &str) {
        let mut inner = self.lock();
        if !matches!(&inner.state, State::Answering { id: current } if current == id) {
            return;
        }
        inner.state = State::Answered { id: id.to_owned() };
        inner.timeline.iter_mut().for_each(Timeline::completed);
        if inner.retiring.is_some() {
            self.withdraw();
        } else {
            self.roster.set_handing_over(self.number);
        }
    }

    /// The invocation `id` has failed, and the sandbox lives on. A cut may also be the first sign of the sandbox's
    /// end: which of the two it was is told when the process asks for its next invocation, or has ended.
    pub(super) fn failed(&self, id: &str, failure: &Failure) {
        self.lock().timeline.iter_mut().for_each(|timeline| timeline.failed(failure));
        if !failure.is_cut() {
            self.logs.failed(id, failure);
        }
    }

    /// The process says that it cannot start. It is given a moment to end by itself, and no invocation any more.
    pub(super) fn init_failed(&self, failure: Failure) -> Result<(), Refusal> {
        self.lock().init.fail(failure).map_err(|_| Refusal::InvalidStateTransition)?;
        self.limit.send_replace(Limit::Init(Instant::now() + INIT_ERROR_GRACE));
        Ok(())
    }

    /// A state is taken out and put back: a panic in between would leave it `Closed`, and a closed sandbox gets no
    /// invocation any more.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
