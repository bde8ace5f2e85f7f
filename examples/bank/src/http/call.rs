use super::{Problem, problem_type::INVALID_REQUEST};
use crate::domain::Account;
use actum::{Ask, CommandId, Handle, Metadata, Payload, Revision, TraceContext};
use axum::{
    extract::{FromRequestParts, Path, rejection::PathRejection},
    http::{HeaderMap, header::IF_MATCH, request::Parts},
};
use std::fmt::Display;

/// Which account a request is for, and what its headers ask for.
pub(super) struct Call {
    /// The account.
    pub(super) account: String,
    /// What is stored with the events: the command id and the caller's trace.
    metadata: Metadata,
    /// What the account must be at.
    expected_revision: Option<Revision>,
}

impl Call {
    /// Adds what the headers ask for to a command.
    pub(super) fn prepare<C: Payload>(&self, ask: Ask<Account, C>) -> Ask<Account, C>
    where
        Account: Handle<C>,
    {
        let ask = ask.metadata(self.metadata.clone());
        match self.expected_revision {
            Some(revision) => ask.expect_revision(revision),
            None => ask,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let Path(account) = path.map_err(|rejection| invalid(rejection.body_text()))?;
        let metadata = metadata(&parts.headers)?;
        let expected_revision = expected_revision(&parts.headers)?;
        Ok(Self { account, metadata, expected_revision })
    }
}

fn metadata(headers: &HeaderMap) -> Result<Metadata, Problem> {
    let mut metadata = Metadata::new();
    if let Some(key) = text(headers, "idempotency-key")? {
        let id = CommandId::new(key).map_err(|e| invalid(format!("Idempotency-Key: {e}")))?;
        metadata = metadata.with_command_id(id);
    }
    // a trace that cannot be read is to be ignored, says W3C Trace Context
    if let Ok(Some(parent)) = text(headers, "traceparent")
        && let Ok(mut trace) = TraceContext::new(parent)
    {
        if let Ok(Some(state)) = text(headers, "tracestate") {
            trace = trace.with_tracestate(state);
        }
        metadata = metadata.with_trace(trace);
    }
    Ok(metadata)
}

/// Reads `If-Match`: the entity tag of an earlier answer, `"7"`, or `*` for whatever the account is at.
fn expected_revision(headers: &HeaderMap) -> Result<Option<Revision>, Problem> {
    let Some(tag) = text(headers, IF_MATCH.as_str())?.filter(|tag| *tag != "*") else {
        return Ok(None);
    };
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    match revision.and_then(|digits| digits.parse().ok()) {
        Some(revision) => Ok(Some(Revision::new(revision))),
        None => Err(invalid(format!("If-Match: `{tag}` is not the ETag of an account"))),
    }
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(invalid(format!("the header {name} is not plain ASCII"))),
        },
        (Some(_), Some(_)) => Err(invalid(format!("the header {name} is there more than once"))),
    }
}

pub(super) fn invalid(detail: impl Display) -> Problem {
    Problem::new(INVALID_REQUEST, detail.to_string())
}
