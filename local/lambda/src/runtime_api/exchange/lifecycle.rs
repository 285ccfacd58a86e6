//! How a sandbox comes and goes: its process starts, is tried again, is to end, has ended.

use tokio::time::Instant;

use super::{Exchange, Inner, Limit, State};
use crate::failure::Failure;
use crate::invocation::{NoReply, Pending};
use crate::logs::{Phase, PlatformRecord};
use crate::runtime_api::init::Init;
use crate::runtime_api::timeline::Timeline;
use crate::sandbox::ProcessGroup;

impl Exchange {
    /// The sandbox's process starts now; its initialisation is counted from here.
    pub(crate) fn starts(&self) {
        let now = Instant::now();
        let mut inner = self.lock();
        if let Init::First { began } = &mut inner.init {
            *began = now;
            self.limit.send_replace(Limit::Init(now + self.function.init_limit()));
        }
        let phase = inner.init.phase();
        drop(inner);
        self.logs.platform(&PlatformRecord::init_start(phase, self.function.function_name()));
    }

    /// The sandbox's process has been started.
    pub(crate) fn runs_in(&self, process: ProcessGroup) {
        self.lock().process = Some(process);
    }

    /// Whether [`tries_again`](Self::tries_again) will say yes: then the sandbox keeps its place meanwhile.
    pub(crate) fn may_start_again(&self, failure: &Failure) -> bool {
        let inner = self.lock();
        !failure.is_wanted() && matches!(inner.state, State::Away(Some(_))) && inner.init.may_begin_again()
    }

    /// The process has ended for the given reason. Where that was its first initialisation and an invocation waits,
    /// Lambda initialises once more within that invocation: then its reason is told here, and the process is to be
    /// started again.
    pub(crate) fn tries_again(&self, failure: &Failure) -> bool {
        if !self.may_start_again(failure) {
            return false;
        }
        let mut inner = self.lock();
        let until = Instant::now() + self.function.invocation_limit();
        let Some((failure, took)) = inner.init.again(failure, until) else { return false };
        inner.process = None;
        self.limit.send_replace(Limit::Invocation(until));
        drop(inner);
        self.extensions.clear();
        self.logs.platform(&PlatformRecord::init_report(Phase::Init, took, Some(&failure)));
        self.logs.ended(self.number, None, &failure);
        true
    }

    /// The sandbox is to end, at once if it is idle, or else when it has answered; until then nothing changes.
    pub(crate) fn retire(&self, reason: Failure) {
        let mut inner = self.lock();
        let idle = matches!(inner.state, State::Polling(_));
        inner.retiring = Some(reason);
        if idle {
            self.withdraw();
            self.retired.cancel();
        } else if matches!(inner.state, State::Answered { .. }) {
            self.withdraw();
        }
    }

    /// Waits until the sandbox is to end, and says why.
    pub(crate) async fn retired(&self) -> Failure {
        self.retired.cancelled().await;
        self.lock().retiring.clone().unwrap_or_else(Failure::shut_down)
    }

    /// The sandbox is about to end: no invocation is to choose it any more, and another may take its place.
    pub(crate) fn withdraw(&self) {
        self.roster.remove(self.number);
    }

    /// The sandbox has ended. An invocation that has no reply fails, for the reason the process
    /// itself gave if it gave one.
    pub(crate) fn close(&self, failure: Failure) {
        // Before the client learns of the end, whose next request must find room.
        self.withdraw();
        let mut inner = self.lock();
        let state = std::mem::replace(&mut inner.state, State::Closed);
        let phase = inner.init.phase();
        let (failure, init) = inner.init.ended(failure);
        if let Some(took) = init {
            self.logs.platform(&PlatformRecord::init_report(phase, took, Some(&failure)));
            if let (Phase::Invoke, State::Away(Some(Pending { invocation, .. }))) = (phase, &state) {
                self.logs.platform(&PlatformRecord::start(&invocation.request_id));
                inner.timeline = Some(Timeline::undelivered(invocation.request_id.clone(), took));
            }
        }
        if let Some(timeline) = &mut inner.timeline {
            timeline.failed(&failure);
        }
        self.report(&mut inner);
        drop(inner);
        let (id, reply) = match state {
            // The process had been ready, and lost its poll: the invocation never reached it.
            State::Away(Some(Pending { invocation, reply }))
                if init.is_none() && !failure.is_wanted() && !failure.is_timeout() =>
            {
                self.logs.ended(self.number, None, &failure);
                let _ = reply.send(Err(NoReply::Undelivered(invocation)));
                return;
            }
            State::Away(Some(Pending { invocation, reply })) => (Some(invocation.request_id), Some(reply)),
            State::Invoked { id, reply } => (Some(id), Some(reply)),
            State::Answering { id } | State::Answered { id } => (Some(id), None),
            State::Away(None) | State::Polling(_) | State::Closed => (None, None),
        };
        self.logs.ended(self.number, id.as_deref(), &failure);
        if let Some(reply) = reply {
            // Without a receiver the client has gone, and nobody waits for the reply.
            let _ = reply.send(Err(NoReply::Failed(failure)));
        }
    }

    /// Writes the platform's log lines about the invocation that is over, if there is one.
    pub(super) fn report(&self, inner: &mut Inner) {
        let Some(timeline) = inner.timeline.take() else { return };
        // The process has lived on behind it, so that it was no more than a cut.
        if let Some((id, cut)) = timeline.failure().filter(|(_, failure)| failure.is_cut()) {
            self.logs.failed(id, cut);
        }
        if !self.logs.wants_platform_records() {
            return;
        }
        let peak = inner.process.and_then(ProcessGroup::peak_memory_mb);
        let [done, report] = timeline.over(self.function.memory_size_mb(), peak);
        self.logs.platform(&done);
        self.logs.platform(&report);
    }
}
