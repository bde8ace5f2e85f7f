//! The list of all accounts.

use super::{
    Problem,
    accounts::page_limit,
    answer::json_line,
    problem_type::{INVALID_REQUEST, UNAVAILABLE},
};
use crate::{Bank, account_list::ListedAccount};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header::CONTENT_TYPE,
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Which part of the list is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListPart {
    #[serde(default)]
    after: String,
    limit: Option<NonZeroU32>,
}

#[derive(Serialize)]
struct ListPage {
    accounts: Vec<ListedAccount>,
    /// Behind which account the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

pub(super) async fn list(
    State(bank): State<Bank>,
    part: Result<Query<ListPart>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(part) = part.map_err(|e| Problem::new(INVALID_REQUEST, e.body_text()))?;
    let limit = page_limit(part.limit)?;
    let accounts = bank.accounts(&part.after, limit).await;
    let accounts = accounts.map_err(|why| Problem::new(UNAVAILABLE, why.to_string()))?;
    let is_full = accounts.len() == limit.get() as usize;
    let after = accounts.last().filter(|_| is_full).map(|last| last.account.clone());
    Ok(([(CONTENT_TYPE, "application/json")], json_line(&ListPage { accounts, after })))
}
