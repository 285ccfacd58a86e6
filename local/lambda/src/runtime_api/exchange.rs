//! The state of one sandbox between the function URL, which brings invocations, and the process,
//! which asks for them and answers: who may say what when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::answering::Answering;
use crate::failure::Failure;
use crate::fleet::{Number, Roster};
use crate::function::Function;
use crate::invocation::{Delivery, Pending, ReplySender};
use crate::logs::Logs;

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
    /// The sandbox has ended.
    Closed,
}

/// One sandbox's side of the Runtime API.
pub(crate) struct Exchange {
    number: Number,
    function_arn: String,
    timeout: Duration,
    state: Mutex<State>,
    limit: watch::Sender<Limit>,
    /// When the process was started, until it has asked for its first invocation.
    starting: Mutex<Option<Instant>>,
    init_failure: Mutex<Option<Failure>>,
    roster: Arc<Roster>,
    logs: Arc<Logs>,
}

impl Exchange {
    /// The exchange of a sandbox that starts now, and the limit it is to be held to.
    pub(crate) fn new(
        number: Number,
        function: &Function,
        roster: Arc<Roster>,
        logs: Arc<Logs>,
    ) -> (Arc<Self>, watch::Receiver<Limit>) {
        let now = Instant::now();
        let (limit, limited) = watch::channel(Limit::Init(now + function.init_limit()));
        let exchange = Self {
            number,
            function_arn: function.arn(),
            timeout: function.invocation_limit(),
            state: Mutex::new(State::Away(None)),
            limit,
            starting: Mutex::new(Some(now)),
            init_failure: Mutex::new(None),
            roster,
            logs,
        };
        (Arc::new(exchange), limited)
    }

    pub(crate) fn number(&self) -> Number {
        self.number
    }

    pub(crate) fn function_arn(&self) -> &str {
        &self.function_arn
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Delivers an invocation, or keeps it until the process asks. A sandbox that has ended gives
    /// it back.
    pub(crate) fn invoke(&self, pending: Pending) -> Result<(), Pending> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Closed) {
            State::Polling(poll) => {
                self.deliver(&mut state, poll, pending);
                Ok(())
            }
            State::Away(None) => {
                self.keep(&mut state, pending);
                Ok(())
            }
            other => {
                *state = other;
                Err(pending)
            }
        }
    }

    fn deliver(&self, state: &mut State, poll: oneshot::Sender<Delivery>, pending: Pending) {
        let Pending { invocation, reply } = pending;
        let id = invocation.request_id.clone();
        let deadline = SystemTime::now() + self.timeout;
        *state = match poll.send(Delivery { invocation, deadline }) {
            Ok(()) => {
                self.limit.send_replace(Limit::Invocation(Instant::now() + self.timeout));
                State::Invoked { id, reply }
            }
            // The process has closed its poll in the meantime, and will ask again.
            Err(Delivery { invocation, .. }) => return self.keep(state, Pending { invocation, reply }),
        };
    }

    /// Keeps an invocation until the process asks. One that has lost its long poll must do so within the
    /// invocation's own limit, lest the client wait for ever.
    fn keep(&self, state: &mut State, pending: Pending) {
        if lock(&self.starting).is_none() {
            self.limit.send_replace(Limit::Invocation(Instant::now() + self.timeout));
        }
        *state = State::Away(Some(pending));
    }

    /// The process asks for its next invocation.
    pub(super) async fn next(&self) -> Result<Delivery, Refusal> {
        let receiver = self.poll()?;
        if let Some(started) = lock(&self.starting).take() {
            self.logs.started(self.number, started.elapsed());
        }
        receiver.await.map_err(|_| Refusal::InvalidStateTransition)
    }

    fn poll(&self) -> Result<oneshot::Receiver<Delivery>, Refusal> {
        let (poll, receiver) = oneshot::channel();
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Closed) {
            State::Away(Some(pending)) => self.deliver(&mut state, poll, pending),
            State::Away(None) | State::Polling(_) | State::Answered { .. } => {
                *state = State::Polling(poll);
                self.limit.send_replace(Limit::None);
                self.roster.set_idle(self.number);
            }
            other @ (State::Invoked { .. } | State::Answering { .. } | State::Closed) => {
                *state = other;
                return Err(Refusal::InvalidStateTransition);
            }
        }
        Ok(receiver)
    }

    /// The process begins its answer to the invocation `id`.
    pub(super) fn answering(self: &Arc<Self>, id: &str) -> Result<Answering, Refusal> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Closed) {
            State::Invoked { id: current, reply } if current == id => {
                *state = State::Answering { id: current };
                Ok(Answering::new(Arc::clone(self), id.to_owned(), reply))
            }
            other => {
                let repeated = matches!(&other, State::Answering { id: current } if current == id);
                *state = other;
                Err(if repeated { Refusal::InvalidStateTransition } else { Refusal::InvalidRequestId })
            }
        }
    }

    /// The answer to the invocation `id` is complete. Said before the client learns of the end, so that its
    /// next request finds the sandbox handing over.
    pub(super) fn complete(&self, id: &str) {
        let mut state = lock(&self.state);
        if matches!(&*state, State::Answering { id: current } if current == id) {
            *state = State::Answered { id: id.to_owned() };
            self.roster.set_handing_over(self.number);
        }
    }

    /// The process says that it cannot start. It is given a moment to end by itself.
    pub(super) fn init_failed(&self, failure: Failure) -> Result<(), Refusal> {
        if lock(&self.starting).is_none() {
            return Err(Refusal::InvalidStateTransition);
        }
        *lock(&self.init_failure) = Some(failure);
        self.limit.send_replace(Limit::Init(Instant::now() + INIT_ERROR_GRACE));
        Ok(())
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
        let failure = lock(&self.init_failure).take().unwrap_or(failure);
        let state = std::mem::replace(&mut *lock(&self.state), State::Closed);
        let (id, reply) = match state {
            State::Away(Some(Pending { invocation, reply })) => (Some(invocation.request_id), Some(reply)),
            State::Invoked { id, reply } => (Some(id), Some(reply)),
            State::Answering { id } | State::Answered { id } => (Some(id), None),
            State::Away(None) | State::Polling(_) | State::Closed => (None, None),
        };
        self.logs.ended(self.number, id.as_deref(), &failure);
        if let Some(reply) = reply {
            // Without a receiver the client has gone, and nobody waits for the reply.
            let _ = reply.send(Err(failure));
        }
    }
}

/// A panic elsewhere leaves these states whole: none is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::invocation::{Invocation, Reply};
    use crate::logs::Sinks;

    const TIMEOUT: Duration = Duration::from_secs(3);

    fn exchange() -> (Arc<Exchange>, watch::Receiver<Limit>) {
        let function = Function::new("function").timeout(TIMEOUT);
        let logs = Logs::open(Sinks::default()).expect("no file to open");
        Exchange::new(1, &function, Arc::new(Roster::new(NonZeroUsize::MIN)), Arc::new(logs))
    }

    fn pending(id: &str) -> (Pending, oneshot::Receiver<Result<Reply, Failure>>) {
        let (reply, replied) = oneshot::channel();
        let invocation = Invocation { request_id: id.to_owned(), trace_id: String::new(), event: "{}".into() };
        (Pending { invocation, reply }, replied)
    }

    #[tokio::test]
    async fn an_invocation_waits_for_the_process_to_start() {
        let (exchange, limit) = exchange();
        let (first, _replied) = pending("first");
        assert!(exchange.invoke(first).is_ok());
        assert!(matches!(*limit.borrow(), Limit::Init(_)), "the start has a limit of its own");
        let delivery = exchange.next().await.expect("a delivery");
        assert_eq!(delivery.invocation.request_id, "first");
        assert!(matches!(*limit.borrow(), Limit::Invocation(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_invocation_for_a_process_that_lost_its_poll_is_kept_for_no_longer_than_its_time_out() {
        let (exchange, limit) = exchange();
        let lost = tokio::time::timeout(Duration::ZERO, exchange.next()).await;
        assert!(lost.is_err() && matches!(*limit.borrow(), Limit::None));

        let (kept, _replied) = pending("kept");
        assert!(exchange.invoke(kept).is_ok());
        let Limit::Invocation(until) = *limit.borrow() else { panic!("{:?}", *limit.borrow()) };
        assert_eq!(until, Instant::now() + TIMEOUT);

        let delivery = exchange.next().await.expect("a delivery");
        assert_eq!(delivery.invocation.request_id, "kept");
    }

    #[tokio::test]
    async fn an_ended_sandbox_gives_an_invocation_back_and_fails_the_one_it_had() {
        let (exchange, _limit) = exchange();
        let (had, replied) = pending("had");
        assert!(exchange.invoke(had).is_ok());
        exchange.close(Failure::shut_down());
        assert_eq!(replied.await.expect("a reply").err(), Some(Failure::shut_down()));

        let (refused, _replied) = pending("refused");
        let returned = exchange.invoke(refused).expect_err("the invocation");
        assert_eq!(returned.invocation.request_id, "refused");
    }
}
