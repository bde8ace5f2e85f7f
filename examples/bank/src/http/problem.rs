use super::{
    answer::json_line,
    problem_log::ProblemLog,
    problem_type::{self, ProblemType},
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
        response::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// How long a caller should wait before trying again, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why a request was not served: what becomes a problem document (RFC 9457).
#[derive(Clone, Debug)]
pub struct Problem {
    kind: &'static ProblemType,
    detail: String,
    members: Map<String, Value>,
}

/// A problem document, in the order it is written.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    advice: &'static str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
    instance: &'a str,
}

impl Problem {
    /// A problem of this kind, with what is special about this one.
    pub fn new(kind: &'static ProblemType, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), members: Map::new() }
    }

    /// Adds a member of its own, for programs to read.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> &'static ProblemType {
        self.kind
    }

    /// The document, for a request of this path.
    #[must_use]
    pub fn document<'a>(&'a self, path: &'a str) -> Document<'a> {
        let ProblemType { name, status, title, advice } = self.kind;
        Document {
            kind: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            advice,
            members: &self.members,
            instance: path,
        }
    }

    /// What the router, or a library, says with a status alone.
    fn of_status(status: StatusCode, method: &Method, path: &str) -> Self {
        match status {
            StatusCode::NOT_FOUND => {
                Self::new(problem_type::UNKNOWN_ROUTE, format!("there is nothing at {path}"))
            }
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                problem_type::METHOD_NOT_ALLOWED,
                format!("{path} does not take {method}"),
            ),
            status if status.is_client_error() => {
                Self::new(problem_type::INVALID_REQUEST, status.to_string())
            }
            status => Self::new(problem_type::INTERNAL, status.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    /// Leaves the problem for `write_document`, which knows the path of the request.
    fn into_response(self) -> Response {
        let mut response = self.kind.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the document of every problem on its way out.
pub(super) async fn write_document(
    State(log): State<Arc<ProblemLog>>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let problem =
        parts.extensions.remove().unwrap_or_else(|| Problem::of_status(status, &method, &path));
    if problem.kind.status.is_server_error() {
        log.failed(problem.kind.name, &problem.detail, &path);
    }
    fill(parts, &problem, &path)
}

fn fill(mut parts: Parts, problem: &Problem, path: &str) -> Response {
    parts.status = problem.kind.status;
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if parts.status == StatusCode::SERVICE_UNAVAILABLE {
        parts.headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    Response::from_parts(parts, Body::from(json_line(&problem.document(path))))
}
