//! The promise of the product as one property: a chat request gets exactly one terminal event (or one problem
//! document) and exactly one record, whatever the model and the platform do, and it is over before the deadline.
//!
//! The whole function runs on a paused clock, from the invocation to the bytes that the platform reads, with hyper's
//! own HTTP between. Only the two ends are played: the model, and the platform. proptest prints the
//! seed of a failure; the file that it names replays it.

mod platform;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use self::platform::{Behaviour, Platform, Post, Posted};
use super::Adapter;
use super::polling::NextInvocation;
use crate::chat::Timeouts;
use crate::config::InferenceProfile;
use crate::http::Service;
use crate::invocation::Receipt;
use crate::model::scripted::{Ending, Head, Scripted, Step, at_once, metadata, stop, text};
use crate::model::{Model, ModelError, ModelErrorKind, ModelEvent, Prompt};
use crate::policy::Policy;
use crate::telemetry::Outcome;

const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";

/// Tokio's clock counts in milliseconds and rounds up.
const TICK: Duration = Duration::from_millis(2);

fn failure() -> impl Strategy<Value = ModelError> {
    prop::sample::select(vec![
        ModelErrorKind::Throttled,
        ModelErrorKind::AccessDenied,
        ModelErrorKind::NotFound,
        ModelErrorKind::Rejected,
        ModelErrorKind::Unavailable,
        ModelErrorKind::Timeout,
        ModelErrorKind::Interrupted,
        ModelErrorKind::Internal,
    ])
    .prop_map(|kind| ModelError::new(kind, "Bedrock's own words"))
}

/// Waits around every bound there is: none, the hold, the keep-alive, the stall, the head.
fn delay() -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => Just(0),
        4 => 0_u64..50,
        2 => prop::sample::select(vec![249, 250, 499, 500, 999, 1_000, 1_001, 2_000, 9_999, 10_000, 14_999, 15_000, 20_000]),
        1 => 0_u64..25_000,
    ]
    .prop_map(Duration::from_millis)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => "[a-zé 🎨\r\n\"\\\\]{1,12}".prop_map(|said| text(&said)),
        1 => (1_usize..100_000).prop_map(|length| text(&"y".repeat(length))),
        2 => Just(Ok(ModelEvent::Progress)),
        2 => Just(stop()),
        2 => Just(metadata()),
        1 => failure().prop_map(Err),
    ]
}

fn model() -> impl Strategy<Value = Scripted> {
    let head = prop_oneof![
        8 => Just(Head::Accepts),
        2 => failure().prop_map(Head::Refuses),
        1 => Just(Head::Panics),
    ];
    let ending = prop::sample::select(vec![Ending::Ends, Ending::Ends, Ending::Hangs, Ending::Panics]);
    let steps = prop::collection::vec((delay(), step()), 0..14);
    // Most replies are whole: without these two few would be.
    let whole = any::<bool>();
    ((delay(), head), steps, whole, ending).prop_map(|(head, mut steps, whole, ending)| {
        if whole {
            steps.extend([(Duration::ZERO, stop()), (Duration::ZERO, metadata())]);
        }
        Scripted { head, steps, ending, held: Arc::default() }
    })
}

/// How long Lambda lets the function run.
fn lambda_timeout() -> impl Strategy<Value = Duration> {
    prop_oneof![3 => Just(60_000), 1 => 0_u64..5_000, 1 => 0_u64..60_000].prop_map(Duration::from_millis)
}

fn body() -> impl Strategy<Value = Value> {
    prop_oneof![
        9 => Just(json!({"message": "Yo"})),
        1 => Just(json!({"message": ""})),
    ]
}

/// What became of one request.
struct Played {
    posted: Vec<Posted>,
    received: Instant,
    outcome: Outcome,
    error_code: Option<&'static str>,
    took: Duration,
    replies_held: usize,
}

fn play(model: &Scripted, behaviour: Behaviour, timeout: Duration, body: &Value) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (adapter, mut posts) = adapter(model.clone(), behaviour);
        let before = Arc::strong_count(&model.held);

        let received = Receipt { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let recorded = adapter.serve(invocation(timeout, body), received).await;
        let received = received.instant;
        let took = received.elapsed();
        let replies_held = Arc::strong_count(&model.held) - before;

        // That there is one record and not two is said by the type; that it is there, here.
        let record = recorded.expect("a chat request without a record");
        let record = record.lock();
        let mut posted = Vec::new();
        while let Ok(post) = posts.try_recv() {
            posted.push(post.seen());
        }
        let outcome = record.outcome.unwrap_or(Outcome::Cut);
        Played { posted, received, outcome, error_code: record.error_code, took, replies_held }
    })
}

fn adapter<M: Model>(model: M, behaviour: Behaviour) -> (Adapter<M, Platform>, UnboundedReceiver<Post>) {
    let profile = InferenceProfile::parse(PROFILE).expect("an ARN");
    let policy = Policy::built_in().expect("starts");
    let (platform, posts) = Platform::new(behaviour);
    (Adapter::new(Service::new(model, profile, policy, Timeouts::default()), platform), posts)
}

fn invocation(timeout: Duration, body: &Value) -> NextInvocation {
    let event = json!({
        "version": "2.0", "rawPath": "/api/chat", "rawQueryString": "", "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST"}}, "body": body.to_string(), "isBase64Encoded": false
    });
    NextInvocation {
        request_id: "r-1".into(),
        trace_id: None,
        deadline_epoch_ms: u64::try_from(timeout.as_millis()).expect("not that long"),
        invocation_id: None,
        event: event.to_string().into(),
    }
}

/// A bug ends its own request and no other.
#[tokio::test(start_paused = true)]
async fn after_a_panic_the_next_invocation_is_served() {
    let whole = || at_once([text("Yo"), stop(), metadata()]);
    let at_head = Scripted { head: (Duration::ZERO, Head::Panics), ..whole() };
    let in_stream = Scripted { ending: Ending::Panics, ..at_once([text("Yo")]) };
    for (broken, status) in [(at_head, 500), (in_stream, 200)] {
        let model = Replies(Mutex::new(VecDeque::from([broken, whole()])));
        let (adapter, mut posts) = adapter(model, Behaviour::Takes { acknowledges_after: Duration::ZERO });
        for (status, error_code) in [(status, Some("internal")), (200, None)] {
            let received = Receipt { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH };
            let lambda = invocation(Duration::from_secs(60), &json!({"message": "Yo"}));
            let record = adapter.serve(lambda, received).await.expect("a record");
            assert_eq!(record.lock().error_code, error_code);
            let (got, _) = posts.try_recv().expect("an answer").seen().whole.expect("the whole of it");
            assert_eq!(got, status);
        }
    }
}

/// One reply after the other.
struct Replies(Mutex<VecDeque<Scripted>>);

impl Model for Replies {
    type Reply = <Scripted as Model>::Reply;

    async fn converse(&self, prompt: Prompt) -> Result<Self::Reply, ModelError> {
        let reply = self.0.lock().expect("no panic").pop_front().expect("another reply");
        reply.converse(prompt).await
    }
}

/// Name and data of each event; comments are left out.
fn events(payload: &str) -> Vec<(String, Value)> {
    payload
        .split_terminator("\n\n")
        .filter(|block| *block != ": keep-alive")
        .map(|block| block.strip_prefix("event: ").expect(block).split_once("\ndata: ").expect(block))
        .map(|(name, data)| (name.to_owned(), serde_json::from_str(data).expect(data)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_chat_request_has_one_terminal_event_and_one_record_before_its_deadline(
        model in model(),
        behaviour in platform::behaviour(),
        timeout in lambda_timeout(),
        body in body(),
    ) {
        let played = play(&model, behaviour, timeout, &body);
        let give_up = timeout.saturating_sub(Timeouts::default().delivery_margin);
        prop_assert!(played.took <= give_up + TICK, "it took {:?}", played.took);
        prop_assert_eq!(played.replies_held, 0, "Bedrock's reply is still open");

        prop_assert_eq!(played.posted.len(), 1, "one answer");
        let posted = &played.posted[0];
        let in_time = posted.acknowledged.is_some_and(|at| at + TICK < played.received + give_up);
        match played.outcome {
            Outcome::Cut => prop_assert!(!in_time, "recorded as cut, but the platform had all of it"),
            outcome => prop_assert!(posted.acknowledged.is_some(), "recorded as {outcome:?}, but it did not arrive"),
        }
        // A platform that takes all at once is never left with half of it, not even when time is short.
        if behaviour.is_willing() && give_up > 2 * TICK {
            prop_assert!(posted.whole.is_some() && played.outcome != Outcome::Cut, "cut for no reason");
        }
        let Some((status, payload)) = &posted.whole else {
            prop_assert_eq!(played.outcome, Outcome::Cut, "half a response is not the whole");
            return Ok(());
        };

        // What arrived whole says of itself how it ended, in the words of the record.
        if *status == 200 {
            let events = events(payload);
            let terminals: Vec<_> =
                events.iter().filter(|(name, _)| matches!(name.as_str(), "done" | "error")).collect();
            prop_assert_eq!(terminals.len(), 1, "{:?}", &events);
            prop_assert_eq!(terminals[0], events.last().expect("an event"), "something follows: {:?}", &events);
            prop_assert_eq!(&events[0].0, "start");
            let (name, data) = terminals[0];
            prop_assert_eq!(data["code"].as_str(), played.error_code);
            match played.outcome {
                Outcome::Done => prop_assert_eq!(name, "done"),
                Outcome::Failed => prop_assert_eq!(name, "error"),
                Outcome::Cut => {}
                Outcome::Refused => prop_assert!(false, "refused within the stream"),
            }
            let said: String =
                events.iter().filter(|(name, _)| name == "token").filter_map(|(_, data)| data["text"].as_str()).collect();
            let scripted: String = model.steps.iter().filter_map(|(_, step)| match step {
                Ok(ModelEvent::Text(text)) => Some(text.as_str()),
                _ => None,
            }).collect();
            prop_assert!(scripted.starts_with(&said), "{said:?} is not how {scripted:?} begins");
        } else {
            let problem: Value = serde_json::from_str(payload).expect("a problem document");
            prop_assert_eq!(problem["code"].as_str(), played.error_code);
            prop_assert!(matches!(played.outcome, Outcome::Refused | Outcome::Failed | Outcome::Cut));
        }

        // And it is never left in silence.
        if behaviour.is_prompt() {
            let silence = posted.longest_silence();
            prop_assert!(silence <= Timeouts::default().keep_alive + TICK, "{silence:?} of silence");
        }
    }
}
