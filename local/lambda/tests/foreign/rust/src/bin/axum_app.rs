//! An axum application on `lambda_http`, after that crate's `http-axum-streaming` example.

#![allow(clippy::indexing_slicing, reason = "a JSON value's index inserts what is missing")]

use std::convert::Infallible;
use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::header::{CONTENT_TYPE, COOKIE, LINK, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{AppendHeaders, IntoResponse, Json};
use axum::routing::{get, post};
use axum::{Router, extract};
use foreign_functions::ask_upstream;
use futures::{Stream, StreamExt, stream};
use lambda_http::{Error, run_with_streaming_response, tracing};
use serde_json::{Value, json};

/// The path's parameter and the query's pairs, in order.
async fn item(Path(name): Path<String>, Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    Json(json!({ "name": name, "query": query }))
}

async fn create(headers: HeaderMap, extract::Json(mut item): extract::Json<Value>) -> impl IntoResponse {
    item["cookies"] = headers.get_all(COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()).collect();
    (StatusCode::CREATED, Json(item))
}

async fn sign_in() -> impl IntoResponse {
    let cookies = AppendHeaders([(SET_COOKIE, "session=1; HttpOnly"), (SET_COOKIE, "theme=dark")]);
    (StatusCode::SEE_OTHER, cookies, [("location", "/")], "signed in")
}

async fn linked() -> impl IntoResponse {
    (AppendHeaders([(LINK, "</a.css>; rel=preload"), (LINK, "</b.js>; rel=preload")]), "linked")
}

/// The same bytes, last first.
async fn reverse(bytes: Bytes) -> impl IntoResponse {
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    ([(CONTENT_TYPE, "application/x-reversed")], reversed)
}

async fn events() -> Sse<impl Stream<Item = Result<Event, io::Error>>> {
    let first = stream::once(async { Ok(Event::default().event("token").data("first")) });
    let second = stream::once(async { Ok(Event::default().event("token").data(ask_upstream().await?)) });
    Sse::new(first.chain(second))
}

async fn breaks() -> Body {
    let first = stream::once(async { Ok("first\n".to_owned()) });
    let second = stream::once(async { Err(io::Error::other(ask_upstream().await?)) });
    Body::from_stream(first.chain(second))
}

async fn empty() -> Result<StatusCode, Infallible> {
    Ok(StatusCode::NO_CONTENT)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let app = Router::new()
        .route("/items/{name}", get(item))
        .route("/items", post(create))
        .route("/sign-in", post(sign_in))
        .route("/linked", get(linked))
        .route("/reverse", post(reverse))
        .route("/events", get(events))
        .route("/breaks", get(breaks))
        .route("/empty", get(empty));
    run_with_streaming_response(app).await
}
