//! The HTTP contract: routes, request rules, server-sent events, problem documents, the page.
//!
//! [`Service::answer`] takes one request and gives one [`Answer`]; it knows nothing of Lambda. Errors become
//! HTTP in [`error`] and nowhere else.

mod answer;
mod assets;
mod chat;
mod chat_request;
mod error;
mod event_stream;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod information;
mod json_object;
mod problem;
mod query;
mod sse;

pub use answer::{Answer, Body};
pub use error::{HttpError, Refusal};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request};

use crate::chat::{ChatError, Timeouts};
use crate::config::{ApiKeys, InferenceProfile, Prices};
use crate::invocation::Invocation;
use crate::model::Model;
use crate::policy::Policy;

/// What every request is answered with.
pub struct Service<M> {
    model: Arc<M>,
    profile: InferenceProfile,
    policy: Policy,
    prices: Option<Prices>,
    api_keys: Option<ApiKeys>,
    timeouts: Timeouts,
}

/// Where a path leads.
enum Route {
    Chat,
    Modes,
    Health,
    Page(&'static assets::Asset),
}

impl<M: Model> Service<M> {
    /// A service that asks `model`, and says of it what `profile` says.
    pub fn new(model: M, profile: InferenceProfile, policy: Policy, timeouts: Timeouts) -> Self {
        Self { model: Arc::new(model), profile, policy, prices: None, api_keys: None, timeouts }
    }

    /// Adds an estimated cost to each record.
    #[must_use]
    pub fn with_prices(self, prices: Option<Prices>) -> Self {
        Self { prices, ..self }
    }

    /// Lets only these keys spend.
    #[must_use]
    pub fn with_api_keys(self, api_keys: Option<ApiKeys>) -> Self {
        Self { api_keys, ..self }
    }

    /// The time-outs, for whoever must outlast them.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Answers one request. Never fails and never panics: a bug is an `internal` problem.
    ///
    /// `edge_received` is when the function URL had the request, by its own clock.
    pub async fn answer(
        &self,
        request: Request<Bytes>,
        invocation: &Invocation,
        edge_received: Option<SystemTime>,
    ) -> Answer {
        let route = Route::of(request.uri().path());
        if let Ok(Route::Chat) = route
            && let Some(name) = chat::route_name(request.method())
        {
            return self.chat(name, request, invocation, edge_received).await;
        }
        let method = request.method().clone();
        // Not the path itself, which may be anything that somebody typed.
        let name = route.as_ref().map_or("none", Route::name);
        let answer = catch_unwind(AssertUnwindSafe(|| self.plain(route, &method)))
            .unwrap_or_else(|_| Err(HttpError::Failed(ChatError::Internal)))
            .unwrap_or_else(|error| problem::answer(&error, &invocation.request_id));
        tracing::info!(
            request_id = invocation.request_id,
            method = known(&method),
            route = name,
            status = answer.response.status().as_u16(),
            "request"
        );
        answer
    }

    fn plain(&self, route: Result<Route, Refusal>, method: &Method) -> Result<Answer, HttpError> {
        let route = route?;
        match route {
            Route::Chat => Err(Refusal::MethodNotAllowed { allow: "GET, POST" }.into()),
            _ if !matches!(*method, Method::GET | Method::HEAD) => {
                Err(Refusal::MethodNotAllowed { allow: "GET, HEAD" }.into())
            }
            // An answer to HEAD has the body of GET, which the function URL leaves out: an empty body in
            // streaming mode can hang a client for minutes.
            Route::Modes => Ok(information::modes(&self.policy)),
            Route::Health => Ok(information::health()),
            Route::Page(asset) => Ok(asset.answer()),
        }
    }
}

/// A method's name, if HTTP has it: any other is something that somebody typed.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

impl Route {
    fn of(path: &str) -> Result<Self, Refusal> {
        match path {
            "/api/chat" => Ok(Self::Chat),
            "/api/modes" => Ok(Self::Modes),
            "/healthz" => Ok(Self::Health),
            _ => assets::find(path).map(Self::Page).ok_or(Refusal::NotFound),
        }
    }

    /// The route's name in log lines.
    fn name(&self) -> &'static str {
        match self {
            Self::Chat => "/api/chat",
            Self::Modes => "/api/modes",
            Self::Health => "/healthz",
            Self::Page(asset) => asset.path(),
        }
    }
}

#[cfg(test)]
mod tests;
