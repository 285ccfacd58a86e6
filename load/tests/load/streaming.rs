//! What is made of the reads in which a reply comes.

use crate::support::{Server, Step, chunk, done, end, event, head, run, token, tokens_at_once};

/// The least, in milliseconds, between two reads whose writes are 400 ms apart: a busy machine reads the first one late.
const BETWEEN: f64 = 200.0;

/// A terminal event that says how long the reply was made.
fn done_after(ttft_ms: u32, total_ms: u32) -> Step {
    chunk(&event("done", &format!(r#"{{"timing":{{"ttft_ms":{ttft_ms},"total_ms":{total_ms}}}}}"#)))
}

#[tokio::test]
async fn an_event_that_spans_two_reads_is_timed_by_the_second() {
    let steps = vec![
        head(),
        chunk("event: token\ndata: {\"te"),
        Step::Pause(400),
        chunk("xt\":\"yo\"}\n\n"),
        Step::Pause(400),
        token(),
        done(),
        end(),
    ];
    let report = run(&Server::always(steps).plan()).await.report();
    let (ttft, gap) = (report.latency.ttft.unwrap(), report.latency.gap.unwrap());
    assert!(ttft.min >= 399.0 && report.latency.head.unwrap().max < ttft.min, "{ttft:?}");
    assert!(gap.min >= BETWEEN, "{gap:?}");
    assert_eq!((gap.count, report.streaming.token_reads), (1, 2));
}

#[tokio::test]
async fn tokens_of_one_read_share_its_time() {
    let steps = vec![head(), Step::Pause(20), tokens_at_once(5), Step::Pause(400), token(), done(), end()];
    let report = run(&Server::always(steps).plan()).await.report();
    let gap = report.latency.gap.unwrap();
    assert_eq!((gap.count, gap.p50, report.streaming.token_reads), (5, 0.0, 2));
    assert!(report.latency.stall.unwrap().min >= BETWEEN);
}

#[tokio::test]
async fn the_time_to_first_token_is_that_of_the_first_text() {
    let steps = vec![
        head(),
        chunk(&event("start", "{}")),
        chunk(": keep-alive\n\n"),
        chunk(&event("token", r#"{"text":""}"#)),
        Step::Pause(400),
        token(),
        done(),
        end(),
    ];
    let latency = run(&Server::always(steps).plan()).await.report().latency;
    let (first_event, ttft) = (latency.first_event.unwrap(), latency.ttft.unwrap());
    assert!(ttft.min - first_event.max >= BETWEEN, "{first_event:?} {ttft:?}");
}

#[tokio::test]
async fn a_reply_that_was_made_over_a_second_and_comes_at_once_is_buffered() {
    let steps = vec![head(), Step::Pause(150), tokens_at_once(20), done_after(100, 1_100), end()];
    let report = run(&Server::always(steps).plan()).await.report();
    assert_eq!((report.streaming.buffered, report.streaming.streamed), (1, 0));
    // Its own shape tells too, without the server's timing.
    let steps = vec![head(), Step::Pause(150), tokens_at_once(20), done(), end()];
    assert_eq!(run(&Server::always(steps).plan()).await.report().streaming.buffered, 1);
}

#[tokio::test]
async fn a_reply_that_comes_as_it_was_made_is_streamed() {
    let mut steps = vec![head()];
    for _ in 0..10 {
        steps.extend([token(), Step::Pause(50)]);
    }
    steps.extend([done_after(1, 500), end()]);
    let report = run(&Server::always(steps).plan()).await.report();
    assert_eq!((report.streaming.buffered, report.streaming.streamed), (0, 1));
    assert_eq!(report.streaming.reads_per_token, Some(1.0));
}
