//! When requests start, and what ends a run.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bro_load::report::Ended;
use bro_load::{Arrivals, Extent, Limits, Load, Outcome, Progress, Rate, WarmUp};

use crate::support::{Server, Step, closed, done, end, head, limits, reply, requests, run, token, write};

fn open(rate: f64, max_in_flight: usize) -> Load {
    Load::Open {
        rate: Rate::new(rate, rate).unwrap(),
        arrivals: Arrivals::Constant,
        seed: 1,
        max_in_flight: NonZeroUsize::new(max_in_flight).unwrap(),
    }
}

/// A server that serves one request at a time, each in 20 ms.
fn one_at_a_time() -> Server {
    let turn = std::sync::Mutex::new(());
    Server::start(move |_| {
        let _turn = turn.lock().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        reply()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_keep_up_shows_in_the_time_to_first_token() {
    // 200 requests a second are due, and 50 are served: the 20th is due at 95 ms and served at 400 ms.
    for max_in_flight in [100, 1] {
        let plan = one_at_a_time().plan().load(open(200.0, max_in_flight)).extent(requests(20));
        let report = run(&plan).await.report();
        let ttft = report.latency.ttft.unwrap();
        assert_eq!((report.requests.done, ttft.count), (20, 20), "{:?}", report.outcomes);
        assert!(ttft.min < ttft.max && ttft.max >= 300.0, "{max_in_flight} under way: {ttft:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_loop_does_not_wait_for_replies() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let (most, counted) = (Arc::new(AtomicUsize::new(0)), under_way.clone());
    let peak = most.clone();
    let server = Server::start(move |_| {
        peak.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Holds every reply until the last request is there; at most ten seconds.
        let since = Instant::now();
        while peak.load(Ordering::SeqCst) < 8 && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        reply()
    });
    let report = run(&server.plan().load(open(100.0, 100)).extent(requests(8))).await.report();
    assert_eq!((report.requests.done, most.load(Ordering::SeqCst)), (8, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_loop_has_as_many_requests_under_way_as_clients_and_never_more() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (under_way.clone(), most.clone());
    let server = Server::start(move |_| {
        peak.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        counted.fetch_sub(1, Ordering::SeqCst);
        reply()
    });
    let report = run(&server.plan().load(closed(4)).extent(requests(40))).await.report();
    assert_eq!((report.requests.total, report.requests.done, most.load(Ordering::SeqCst)), (40, 40, 4));
    assert_eq!(server.requests().len(), 40);
}

#[tokio::test]
async fn the_warm_up_is_made_and_left_out() {
    for load in [closed(1), open(500.0, 10)] {
        let server = Server::start(|request| {
            vec![head(), Step::Pause(if request.index < 3 { 200 } else { 0 }), token(), done(), end()]
        });
        let warm_up = WarmUp::Requests(NonZeroU64::new(3).unwrap());
        let report = run(&server.plan().load(load).extent(requests(4)).warm_up(warm_up)).await.report();
        assert_eq!((report.requests.total, report.requests.warm_up, server.requests().len()), (4, 3, 7));
        assert_eq!(report.timeline.iter().map(|second| second.started).sum::<u64>(), 4);
    }
}

#[tokio::test]
async fn a_warm_up_of_a_time_holds_the_requests_that_start_in_it() {
    // The first request starts within the warm-up and ends after it.
    let server = Server::start(|request| {
        vec![head(), Step::Pause(if request.index == 0 { 800 } else { 0 }), token(), done(), end()]
    });
    let warm_up = WarmUp::Duration(Duration::from_millis(700));
    let report = run(&server.plan().extent(requests(5)).warm_up(warm_up)).await.report();
    assert_eq!((report.requests.total, report.requests.warm_up), (5, 1));
    assert!(report.latency.ttft.unwrap().max < 800.0);
}

#[tokio::test]
async fn a_duration_ends_a_closed_loop() {
    let server = Server::always(reply());
    let extent = Extent::duration_of(Duration::from_millis(200));
    let warm_up = WarmUp::Duration(Duration::from_millis(100));
    let report = run(&server.plan().extent(extent).warm_up(warm_up)).await.report();
    assert!(report.requests.done > 0 && report.requests.warm_up > 0, "{:?}", report.requests);
    assert_eq!(report.requests.failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_ended_when_the_drain_is_over_is_given_up_and_counted() {
    let server = Server::start(|_| vec![Step::Hang]);
    let limits = Limits { drain: Duration::from_millis(300), ..limits(50_000) };
    for load in [closed(3), open(100.0, 3)] {
        let plan = server.plan().limits(limits).load(load).extent(Extent::duration_of(Duration::from_millis(100)));
        let began = Instant::now();
        let progress = Progress::default();
        let tally = bro_load::run(&plan, &progress, std::future::pending::<()>).await.unwrap().tally;
        let told = progress.snapshot();
        assert_eq!((told.started, told.failed), (tally.requests(), tally.requests()), "none is under way any more");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(tally.count(|outcome| *outcome == Outcome::Unfinished), 3);
        let waiting = tally.count(|outcome| *outcome == Outcome::NeverStarted);
        // The open loop had ten requests due.
        assert_eq!(waiting, if matches!(load, Load::Open { .. }) { 7 } else { 0 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_lets_requests_end_and_reports() {
    let server = Server::always(vec![head(), token(), Step::Pause(100), done(), end()]);
    for load in [closed(2), open(50.0, 100)] {
        let plan = server.plan().load(load).extent(Extent::duration_of(Duration::from_secs(600)));
        let progress = Progress::default();
        let mut asked = 0;
        let run = bro_load::run(&plan, &progress, || {
            asked += 1;
            let (progress, is_first) = (progress.clone(), asked == 1);
            async move {
                if !is_first {
                    std::future::pending::<()>().await;
                }
                while progress.snapshot().done < 3 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        let finished = tokio::time::timeout(Duration::from_secs(30), run).await.expect("it ends").unwrap();
        assert_eq!((finished.run.ended, finished.tally.requests() - finished.tally.done()), (Ended::Interrupted, 0));
        assert!(finished.tally.done() >= 3);
    }
}

#[tokio::test]
async fn a_client_pauses_after_a_failure_and_no_latency_holds_the_pause() {
    // Pauses of 100, 200 and 400 ms come before the only reply.
    let server = Server::start(|request| if request.index < 3 { vec![refusal()] } else { reply() });
    let began = Instant::now();
    let report = run(&server.plan().extent(requests(4))).await.report();
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    assert_eq!((report.requests.total, report.requests.failed, server.requests().len()), (4, 3, 4));
    let total = report.latency.total.unwrap();
    assert!(total.count == 1 && total.max < 400.0, "{total:?}");
}

#[tokio::test]
async fn a_pause_ends_with_the_run() {
    let server = Server::start(|_| vec![refusal()]);
    let report = run(&server.plan().load(closed(2)).extent(requests(2))).await.report();
    assert_eq!((report.requests.failed, server.requests().len()), (2, 2));

    // Requests begin at 0, 100 and 300 ms at the earliest; the next would at 700 ms.
    let server = Server::start(|_| vec![refusal()]);
    let report = run(&server.plan().extent(Extent::duration_of(Duration::from_millis(600)))).await.report();
    assert!((1..=3).contains(&report.requests.failed), "{:?}", report.requests);
    assert_eq!(report.requests.failed, u64::try_from(server.requests().len()).unwrap());
}

fn refusal() -> Step {
    write("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n")
}
