//! Each way in which a request can end is told from the others.

use bro_load::{Format, Outcome};

use crate::support::{Server, Step, chunk, done, end, event, head, limits, plan, reply, run, token, write};

/// What becomes of one request, and its detail.
async fn outcome(steps: Vec<Step>) -> (Outcome, String) {
    let server = Server::always(steps);
    outcome_of(&server.plan().limits(limits(1_000))).await
}

async fn outcome_of(plan: &bro_load::Plan) -> (Outcome, String) {
    let report = run(plan).await.report();
    let [outcome] = report.outcomes.as_slice() else { panic!("{:?}", report.outcomes) };
    assert_eq!((outcome.count, report.requests.total), (1, 1));
    (outcome.outcome.clone(), outcome.example.clone().unwrap_or_default())
}

fn answer(head: &str, body: &str) -> Vec<Step> {
    vec![write(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))]
}

#[tokio::test]
async fn a_reply_with_its_terminal_event_is_done() {
    assert_eq!(outcome(reply()).await.0, Outcome::Done);
}

#[tokio::test]
async fn a_reply_that_reached_its_token_limit_is_done() {
    let done = chunk(&event("done", r#"{"stop_reason":"max_tokens"}"#));
    assert_eq!(outcome(vec![head(), token(), done, end()]).await.0, Outcome::Done);
}

#[tokio::test]
async fn an_error_event_is_an_error_with_its_code() {
    let error = chunk(&event("error", r#"{"code":"stream_interrupted","message":"…"}"#));
    assert_eq!(outcome(vec![head(), token(), error, end()]).await.0, Outcome::error("stream_interrupted"));
}

#[tokio::test]
async fn a_throttle_before_the_first_token_is_a_problem_with_its_code_and_detail() {
    let problem = r#"{"type":"about:blank","status":429,"code":"throttled","detail":"Slow down."}"#;
    let head = "429 Too Many Requests\r\ncontent-type: application/problem+json\r\nretry-after: 2";
    let expected = (Outcome::problem(429, "throttled"), "Slow down.".to_owned());
    assert_eq!(outcome(answer(head, problem)).await, expected);
}

#[tokio::test]
async fn a_platforms_own_answers_are_told_from_the_services() {
    for (status, body) in [
        ("403 Forbidden", r#"{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see …"}"#),
        ("429 Too Many Requests", r#"{"Reason":"ConcurrentInvocationLimitExceeded"}"#),
        ("502 Bad Gateway", "Internal Server Error"),
    ] {
        let code = status[..3].parse().unwrap();
        let told = outcome(answer(&format!("{status}\r\ncontent-type: application/json"), body)).await;
        assert_eq!(told, (Outcome::Status { status: code }, body.to_owned()));
    }
}

#[tokio::test]
async fn a_stream_without_a_terminal_event_is_cut_off_however_it_ends() {
    for last in [end(), Step::Close] {
        assert_eq!(outcome(vec![head(), token(), last]).await.0, Outcome::CutOff);
    }
    let half = chunk("event: done\ndata: {}\n");
    assert_eq!(outcome(vec![head(), token(), half, end()]).await.0, Outcome::CutOff);
}

#[tokio::test]
async fn a_page_in_place_of_a_stream_is_no_stream() {
    let (outcome, detail) = outcome(answer("200 OK\r\ncontent-type: text/html", "<h1>Hello</h1>")).await;
    assert_eq!(outcome, Outcome::NotAStream);
    assert!(detail.contains("text/html"), "{detail}");
}

#[tokio::test]
async fn what_is_neither_http_nor_an_event_is_malformed() {
    assert_eq!(outcome(vec![write("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Step::Close]).await.0, Outcome::Malformed);
    let broken = chunk(&event("token", r#"{"text":"#));
    assert_eq!(outcome(vec![head(), broken, end()]).await.0, Outcome::Malformed);
}

#[tokio::test]
async fn an_endless_event_is_malformed() {
    let piece = chunk(&"x".repeat(64 * 1024));
    let mut steps = vec![head()];
    steps.extend(std::iter::repeat_n(piece, 20));
    assert_eq!(outcome(steps).await.0, Outcome::Malformed);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_head_is_broken() {
    assert_eq!(outcome(vec![Step::Close]).await.0, Outcome::Broken);
    assert_eq!(outcome(vec![write("HTTP/1.1 200 OK\r\ncont"), Step::Close]).await.0, Outcome::Broken);
}

#[tokio::test]
async fn nobody_at_the_port_is_a_failure_to_connect() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (outcome, detail) = outcome_of(&plan(&url, Format::BroBuddy { mode: None })).await;
    assert_eq!(outcome, Outcome::ConnectFailed);
    assert!(detail.contains("could not be reached"), "{detail}");
}

#[tokio::test]
async fn a_server_without_tls_at_an_https_address_is_a_failure_to_connect() {
    let server = Server::always(reply());
    let plan = plan(&server.url().replace("http:", "https:"), Format::BroBuddy { mode: None });
    let limits = bro_load::Limits { connect: std::time::Duration::from_millis(500), ..bro_load::Limits::default() };
    assert_eq!(outcome_of(&plan.limits(limits)).await.0, Outcome::ConnectFailed);
}

#[tokio::test]
async fn a_reply_that_does_not_come_times_out_wherever_it_stops() {
    for steps in [vec![Step::Hang], vec![head(), Step::Hang], vec![head(), token(), Step::Hang]] {
        assert_eq!(outcome(steps).await.0, Outcome::TimedOut);
    }
}

#[tokio::test]
async fn a_response_that_does_not_end_after_its_terminal_event_is_done() {
    assert_eq!(outcome(vec![head(), token(), done(), Step::Hang]).await.0, Outcome::Done);
}

#[tokio::test]
async fn an_openai_stream_ends_with_done_and_its_refusals_have_codes() {
    let format = Format::OpenAi { model: "m".to_owned() };
    let data = |data: &str| chunk(&format!("data: {data}\n\n"));
    let stream = vec![
        head(),
        data(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#),
        data(r#"{"choices":[{"delta":{"content":"Yo"}}]}"#),
        data(r#"{"choices":[{"delta":{"content":" bro"}}]}"#),
        data(r#"{"choices":[],"usage":{"completion_tokens":5}}"#),
        data("[DONE]"),
        end(),
    ];
    let server = Server::always(stream);
    let report = run(&plan(&server.url(), format.clone())).await.report();
    assert_eq!((report.requests.done, report.throughput.token_events, report.throughput.output_tokens), (1, 2, 5));
    let request = &server.requests()[0];
    assert!(request.head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{}", request.head);

    let refusal = r#"{"error":{"message":"…","type":"requests","code":"rate_limit_exceeded"}}"#;
    let server = Server::always(answer("429 Too Many Requests\r\ncontent-type: application/json", refusal));
    assert_eq!(outcome_of(&plan(&server.url(), format)).await.0, Outcome::problem(429, "rate_limit_exceeded"));
}
