//! What projections keep: the list of all accounts, statements, and the totals of each day.

use super::{
    Problem,
    accounts::{Part, page_limit},
    answer::{Answer, RECEIPT, json},
    call::{Call, invalid, text},
    problem_type::{UNAVAILABLE, UNKNOWN_ACCOUNT},
};
use crate::{
    Bank, NotReadable,
    account_list::ListedAccount,
    domain::Refused,
    statements::{DayTotal, StatementLine},
};
use actum::{Receipt, WaitError};
use axum::{
    extract::{FromRequestParts, Query, State, rejection::QueryRejection},
    http::{Uri, request::Parts},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Which part of a list is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListPart {
    #[serde(default)]
    after: String,
    limit: Option<NonZeroU32>,
}

/// The write that is to be shown; without one, all that were acknowledged.
pub(super) struct Shown(Option<Receipt>);

#[derive(Serialize)]
struct ListPage {
    accounts: Vec<ListedAccount>,
    /// Behind which account the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

#[derive(Serialize)]
pub(super) struct StatementPage {
    lines: Vec<StatementLine>,
    /// Where the next page is, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct DaysPage {
    zone: String,
    days: Vec<DayTotal>,
    /// Behind which day the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

pub(super) async fn list(
    State(bank): State<Bank>,
    Shown(receipt): Shown,
    part: Result<Query<ListPart>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(part) = part.map_err(|e| invalid(e.body_text()))?;
    let limit = page_limit(part.limit)?;
    let accounts = bank.accounts(&part.after, limit, receipt).await.map_err(not_readable)?;
    let after = last(&accounts, limit).map(|last| last.account.clone());
    Ok(json(&ListPage { accounts, after }))
}

pub(super) async fn statement(
    State(bank): State<Bank>,
    uri: Uri,
    call: Call,
    Shown(receipt): Shown,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Answer<StatementPage>, Problem> {
    let Query(part) = part.map_err(|e| invalid(e.body_text()))?;
    let limit = page_limit(part.limit)?;
    let lines = bank.statement(&call.account, part.after, limit, receipt).await;
    let lines = lines.map_err(not_readable)?;
    if lines.is_empty() && part.after == 0 {
        return Err(Problem::new(UNKNOWN_ACCOUNT, Refused::NotOpen.to_string()));
    }
    let next = last(&lines, limit)
        .map(|last| format!("{}?after={}&limit={limit}", uri.path(), last.revision));
    Ok(Answer::new(call.account, StatementPage { lines, next }))
}

pub(super) async fn days(
    State(bank): State<Bank>,
    Shown(receipt): Shown,
    part: Result<Query<ListPart>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(part) = part.map_err(|e| invalid(e.body_text()))?;
    let limit = page_limit(part.limit)?;
    let (zone, days) = bank.days(&part.after, limit, receipt).await.map_err(not_readable)?;
    let after = last(&days, limit).map(|last| last.day.clone());
    Ok(json(&DaysPage { zone: zone.to_string(), days, after }))
}

/// The last of a page that is full, behind which there may be more.
fn last<T>(page: &[T], limit: NonZeroU32) -> Option<&T> {
    page.last().filter(|_| page.len() == limit.get() as usize)
}

fn not_readable(why: NotReadable) -> Problem {
    match why {
        NotReadable::Behind(WaitError::NoLane { .. }) => invalid(why),
        _ => Problem::new(UNAVAILABLE, why.to_string()),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Shown {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(text) = text(&parts.headers, RECEIPT.as_str())? else { return Ok(Self(None)) };
        let receipt = text.parse().map_err(|error| invalid(format!("Receipt: {error}")))?;
        Ok(Self(Some(receipt)))
    }
}
