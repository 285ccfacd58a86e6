//! The real model, fetched on first use into the user's cache directory (`XDG_CACHE_HOME` moves it).
//! Slow unless optimised: `cargo test --profile local -p local-model`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests and their helpers fail by panicking")]

use std::{sync::OnceLock, time::Duration};

use futures::StreamExt;
use local_bedrock::{Generation, Generator, Piece, Prompt, Refusal, Step, StopReason};
use local_model::Model;
use serde_json::json;
use tokio::time::timeout;

fn load() -> Model {
    let path = local_model::fetch(&local_model::default_cache_dir().unwrap(), |_| {}).unwrap();
    local_model::load(&path).unwrap().with_seed(7)
}

/// One for all tests that need no slots of their own: there are fewer of them than slots.
fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(load)
}

fn prompt(question: &str, max_tokens: u32, temperature: f32) -> Prompt {
    let body = json!({
        "system": [{"text": "You are a helpful assistant. You answer in one short sentence."}],
        "messages": [{"role": "user", "content": [{"text": question}]}],
        "inferenceConfig": {"maxTokens": max_tokens, "temperature": temperature},
    });
    Prompt::parse(body.to_string().as_bytes()).unwrap()
}

async fn read(generation: Generation) -> (Vec<Piece>, StopReason) {
    let mut pieces = Vec::new();
    let mut steps = generation.into_steps();
    while let Some(step) = timeout(Duration::from_secs(120), steps.next()).await.expect("the model hangs") {
        match step.unwrap() {
            Step::Piece(piece) => pieces.push(piece),
            Step::Finish(reason) => return (pieces, reason),
        }
    }
    panic!("the reply ends without saying so");
}

fn text(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

#[tokio::test]
async fn a_reply_is_real_text_in_pieces_and_the_same_for_the_same_seed() {
    let model = model();
    let ask = |temperature| model.generate(prompt("What is the capital of France?", 40, temperature)).unwrap();
    let (pieces, reason) = read(ask(0.0)).await;
    assert!(text(&pieces).contains("Paris"), "{}", text(&pieces));
    assert_eq!(reason, StopReason::EndTurn);
    assert!(pieces.len() > 3 && pieces.iter().all(|piece| piece.tokens >= 1), "{pieces:?}");
    assert!(ask(0.0).input_tokens() > 20);
    let (sampled, _) = read(ask(0.9)).await;
    assert_eq!(read(ask(0.9)).await.0, sampled);
}

#[tokio::test]
async fn what_was_computed_for_another_question_does_not_change_the_answer() {
    let model = load();
    let ask = |question| model.generate(prompt(question, 30, 0.0)).unwrap();
    let fresh = read(ask("Name three colours.")).await;
    read(ask("What is two plus two?")).await;
    assert_eq!(read(ask("Name three colours.")).await, fresh);
}

#[tokio::test]
async fn the_token_limit_ends_a_reply() {
    let (pieces, reason) = read(model().generate(prompt("Tell me a long story.", 5, 0.3)).unwrap()).await;
    assert_eq!(reason, StopReason::MaxTokens);
    assert_eq!(pieces.iter().map(|piece| piece.tokens).sum::<u32>(), 5);
}

#[tokio::test]
async fn replies_take_turns_and_one_too_many_is_throttled_until_another_is_dropped() {
    let model = load();
    let story = || model.generate(prompt("Tell me a long story.", 150, 0.3));
    let long = [story().unwrap(), story().unwrap(), story().unwrap()];
    // Asked last and short: done long before those that were asked first.
    let short = model.generate(prompt("Tell me a long story.", 2, 0.3)).unwrap();
    assert_eq!(story().unwrap_err(), Refusal::Throttled);
    read(short).await;
    let mut open: Vec<_> = long.into_iter().map(Generation::into_steps).collect();
    for steps in &mut open {
        let mut ready = 0;
        while let Some(Some(step)) = futures::FutureExt::now_or_never(steps.next()) {
            assert!(matches!(step.unwrap(), Step::Piece(_)), "a long story is over already");
            ready += 1;
        }
        assert!(ready < 150);
    }
    let again = story().unwrap();
    assert_eq!(story().unwrap_err(), Refusal::Throttled);
    drop(open.pop());
    assert!(story().is_ok());
    drop(again);
}

#[tokio::test]
async fn a_prompt_longer_than_the_context_is_refused() {
    let refused = model().generate(prompt(&"colour ".repeat(5000), 10, 0.3)).unwrap_err();
    assert_eq!(refused, Refusal::Unsuitable("Input is too long for requested model.".to_owned()));
}

#[test]
fn a_file_that_is_no_model_is_named_in_the_error() {
    let error = local_model::load(std::path::Path::new("/nowhere/model.gguf")).err().unwrap().to_string();
    assert!(error.starts_with("/nowhere/model.gguf cannot be loaded: "), "{error}");
}
