//! Who may say what when, and what comes of it.

use std::num::NonZeroUsize;

use super::*;
use crate::invocation::{Invocation, NoReply, Reply};
use crate::logs::Sinks;

const TIMEOUT: Duration = Duration::from_secs(3);

fn exchange() -> (Arc<Exchange>, watch::Receiver<Limit>) {
    let function = Arc::new(Function::new("function").timeout(TIMEOUT));
    let logs = Arc::new(Logs::open(Sinks::default()).expect("no file to open"));
    let roster = Arc::new(Roster::new(NonZeroUsize::MIN));
    let (exchange, limit) = Exchange::new(1, function, SandboxSettings::default(), roster, logs);
    exchange.starts();
    (exchange, limit)
}

/// Waits for what must happen, for a bounded time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("in time")
}

fn pending(id: &str) -> (Pending, oneshot::Receiver<Result<Reply, NoReply>>) {
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
    let delivery = soon(exchange.next()).await.expect("a delivery");
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

    let delivery = soon(exchange.next()).await.expect("a delivery");
    assert_eq!(delivery.invocation.request_id, "kept");
}

#[tokio::test]
async fn an_ended_sandbox_gives_an_invocation_back_and_fails_the_one_it_had() {
    let (exchange, _limit) = exchange();
    let (had, replied) = pending("had");
    assert!(exchange.invoke(had).is_ok());
    exchange.close(Failure::shut_down());
    assert!(
        matches!(soon(replied).await.expect("a reply"), Err(NoReply::Failed(failure)) if failure == Failure::shut_down())
    );

    let (refused, _replied) = pending("refused");
    let returned = exchange.invoke(refused).expect_err("the invocation");
    assert_eq!(returned.invocation.request_id, "refused");
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_within_the_invocation_uses_up_that_invocations_time() {
    let (exchange, limit) = exchange();
    let (first, replied) = pending("first");
    assert!(exchange.invoke(first).is_ok());
    let crash = Failure::cut();
    assert!(exchange.tries_again(&crash));
    let until = Instant::now() + TIMEOUT;
    tokio::time::advance(TIMEOUT / 3).await;
    exchange.starts();
    let delivery = soon(exchange.next()).await.expect("a delivery");
    assert!(matches!(*limit.borrow(), Limit::Invocation(at) if at == until));
    let left = delivery.deadline.duration_since(SystemTime::now()).expect("in the future");
    assert!(left <= TIMEOUT * 2 / 3, "{left:?}");

    assert!(!exchange.tries_again(&crash), "only an initialisation, and only once");
    exchange.close(crash.clone());
    assert!(matches!(soon(replied).await.expect("a reply"), Err(NoReply::Failed(failure)) if failure == crash));
}

#[tokio::test]
async fn a_retired_sandbox_keeps_the_poll_open_and_gives_an_invocation_back() {
    let (exchange, _limit) = exchange();
    let poll = exchange.next();
    tokio::pin!(poll);
    assert!(tokio::time::timeout(Duration::ZERO, &mut poll).await.is_err());
    exchange.retire(Failure::replaced());
    assert_eq!(soon(exchange.retired()).await, Failure::replaced());

    let (refused, _replied) = pending("refused");
    let returned = exchange.invoke(refused).expect_err("the invocation");
    assert_eq!(returned.invocation.request_id, "refused");
    assert!(tokio::time::timeout(Duration::ZERO, poll).await.is_err(), "a refusal would only be logged");
}

#[tokio::test]
async fn an_invocation_that_a_dead_process_never_asked_for_is_given_back_unless_its_time_is_up() {
    for failure in [Failure::cut(), Failure::timed_out(TIMEOUT)] {
        let (exchange, _limit) = exchange();
        let lost = tokio::time::timeout(Duration::ZERO, exchange.next()).await;
        assert!(lost.is_err());
        let (kept, replied) = pending("kept");
        assert!(exchange.invoke(kept).is_ok());
        exchange.close(failure.clone());
        match soon(replied).await.expect("a reply") {
            Err(NoReply::Undelivered(invocation)) => assert_eq!(invocation.request_id, "kept"),
            other => assert!(failure.is_timeout() && matches!(other, Err(NoReply::Failed(_)))),
        }
    }
}

#[tokio::test]
async fn an_idle_process_that_has_died_unnoticed_gets_no_invocation() {
    let (exchange, _limit) = exchange();
    let poll = exchange.next();
    tokio::pin!(poll);
    assert!(tokio::time::timeout(Duration::ZERO, &mut poll).await.is_err());
    // Not waited for, so that it stays a zombie.
    let mut process = std::process::Command::new("/bin/cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
    let leader = process.id().try_into().ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    let group = ProcessGroup::led_by(leader);
    assert!(!group.has_ended());
    exchange.runs_in(group);
    drop(process.stdin.take());
    let until = Instant::now() + Duration::from_secs(20);
    while !group.has_ended() {
        assert!(Instant::now() < until, "the process does not end");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    let (refused, _replied) = pending("refused");
    let returned = exchange.invoke(refused).expect_err("the invocation");
    assert_eq!(returned.invocation.request_id, "refused");
    process.wait().expect("a status");
    assert!(group.has_ended(), "also when it was waited for");
}
