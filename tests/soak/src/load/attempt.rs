//! One request: made, checked, counted.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::Load;
use crate::checks::{self, Problems};
use crate::client::{Answer, Ending, NoAnswer, Payload};
use crate::ledger::{Missing, Written};
use crate::marker::Length;
use crate::plan::{Reader, Request};
use crate::tally::Failure;

impl Load {
    /// Makes one request and checks all that comes of it.
    pub(super) async fn perform(&self, request: Request) {
        let burst_before = self.burst.load(Ordering::SeqCst);
        let answer = match &request {
            Request::Chat(chat) => self.client.chat(chat).await,
            Request::Fixed(fixed) => self.client.fixed(fixed).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.no_answer(request, &error),
        };
        if checks::is_platform_throttle(&answer) {
            self.refused_by_the_platform(burst_before);
            // Another request at once would find every sandbox as busy as before.
            return sleep(Duration::from_millis(20)).await;
        }

        let mut problems = Problems::default();
        match &request {
            Request::Chat(chat) => checks::chat_answer(chat, &answer, &mut problems),
            Request::Fixed(fixed) => checks::fixed_answer(fixed, &answer, &mut problems),
        }
        let written = self.written(&answer).await;
        match (&request, &written) {
            (Request::Chat(chat), Ok(written)) => checks::chat_written(chat, &answer, written, &mut problems),
            (Request::Fixed(fixed), Ok(written)) => checks::fixed_written(fixed, &answer, written, &mut problems),
            (_, Err(missing)) => problems.add(missing.to_string()),
        }
        self.over(request, &answer, &written, problems.into_sentences());
    }

    /// Every sandbox was busy. There was a burst if one was on at the request's start, or has begun since.
    fn refused_by_the_platform(&self, burst_before: u64) {
        let mut tally = self.tally();
        tally.count("refused by the platform (429)");
        tally.refused += 1;
        if burst_before.is_multiple_of(2) && self.burst.load(Ordering::SeqCst) == burst_before {
            tally.refused_outside_bursts += 1;
        }
    }

    async fn written(&self, answer: &Answer) -> Result<Written, Missing> {
        // The page and the documents carry no id of ours; theirs is the platform's.
        let id = checks::request_id(answer).or_else(|| answer.header("x-amzn-requestid"));
        self.ledger.written(id.unwrap_or_default()).await
    }

    fn over(&self, request: Request, answer: &Answer, written: &Result<Written, Missing>, problems: Vec<String>) {
        let mut tally = self.tally();
        tally.count(outcome(&request, answer));
        if let Request::Chat(chat) = request {
            if let Some(fault) = chat.marker.fault {
                *tally.faults.entry(fault.to_string()).or_default() += 1;
            }
            let undisturbed = chat.marker.fault.is_none() && chat.marker.length == Length::Usual;
            if let Payload::Reply(reply) = &answer.payload
                && let (true, Reader::Steady, Some(after)) = (undisturbed, chat.reader, reply.first_token)
            {
                tally.first_token(after);
            }
        }
        if !problems.is_empty() {
            let evidence = vec![
                format!("request: {}", clipped(&format!("{request:?}"))),
                format!("answer: {}", clipped(&format!("{answer:?}"))),
                match written {
                    Ok(Written { closing, warnings }) => format!("written: {closing}, warnings {warnings:?}"),
                    Err(missing) => format!("written: {missing}"),
                },
            ];
            tally.fail(Failure { at: self.elapsed(), problems, evidence });
        }
    }

    fn no_answer(&self, request: Request, error: &NoAnswer) {
        let mut tally = self.tally();
        tally.count("no answer");
        let evidence = vec![format!("request: {}", clipped(&format!("{request:?}")))];
        tally.fail(Failure { at: self.elapsed(), problems: vec![error.to_string()], evidence });
    }
}

/// What came of a request, for the table.
fn outcome(request: &Request, answer: &Answer) -> String {
    match (&answer.payload, request) {
        (Payload::Document(_), Request::Fixed(_)) if answer.status == 200 => "page, modes, health (200)".to_owned(),
        (Payload::Document(_), _) => format!("problem {}", answer.status),
        (Payload::Reply(reply), _) => match (&reply.ending, reply.events.last()) {
            (Ending::Left, _) => "left by the client".to_owned(),
            (_, Some(event)) if event.name == "done" => "done".to_owned(),
            (_, Some(event)) if event.name == "error" => {
                let code = event.data.get("code").and_then(|code| code.as_str()).unwrap_or("no code");
                format!("error event {code}")
            }
            _ => "cut".to_owned(),
        },
    }
}

/// The beginning and the end of a long text.
fn clipped(text: &str) -> String {
    const HEAD: usize = 1_200;
    const TAIL: usize = 1_000;
    let length = text.chars().count();
    if length <= HEAD + TAIL {
        return text.to_owned();
    }
    let head: String = text.chars().take(HEAD).collect();
    let tail: String = text.chars().skip(length - TAIL).collect();
    format!("{head} … {tail}")
}
