//! What can be asked of an account: from a request to a command, and from its reply to an answer.

use super::{
    Problem,
    answer::Answer,
    body::Body,
    call::Call,
    failure::{problem_of, problem_of_read},
    problem_type::{INVALID_REQUEST, UNKNOWN_ACCOUNT},
};
use crate::{
    Bank, Happened,
    domain::{Account, Applied, Balance, Close, Deposit, Money, Open, Refused, Standing, Withdraw},
};
use actum::{Entity, Handle, Lists, Payload};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, Uri, header::LOCATION},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// How much a page has at most: events, accounts, lines, days.
const PAGE_MAX: u32 = 1_000;
/// How many it has unless set otherwise.
const PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    owner: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Movement {
    amount: Money,
}

/// Which part of a history, or of a statement, is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(default)]
    pub(super) after: u64,
    pub(super) limit: Option<NonZeroU32>,
}

#[derive(Serialize)]
pub(super) struct HistoryPage {
    events: Vec<Happened>,
    /// Where the next page is, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn open(
    State(bank): State<Bank>,
    uri: Uri,
    call: Call,
    Body(Opening { owner }): Body<Opening>,
) -> Result<impl IntoResponse, Problem> {
    // the same name, however it is written: a retry must not look like another request
    let owner = owner.trim().to_owned();
    let answer = change(&bank, call, Open { owner }).await?;
    Ok((StatusCode::CREATED, [(LOCATION, uri.path().to_owned())], answer))
}

pub(super) async fn deposit(
    State(bank): State<Bank>,
    call: Call,
    Body(Movement { amount }): Body<Movement>,
) -> Result<Answer<Applied>, Problem> {
    change(&bank, call, Deposit { amount }).await
}

pub(super) async fn withdraw(
    State(bank): State<Bank>,
    call: Call,
    Body(Movement { amount }): Body<Movement>,
) -> Result<Answer<Applied>, Problem> {
    change(&bank, call, Withdraw { amount }).await
}

pub(super) async fn close(
    State(bank): State<Bank>,
    call: Call,
) -> Result<Answer<Applied>, Problem> {
    change(&bank, call, Close).await
}

pub(super) async fn standing(
    State(bank): State<Bank>,
    call: Call,
) -> Result<Answer<Standing>, Problem> {
    let asked = bank.account(&call.account).ask(Balance).with_receipt().await;
    let (standing, receipt) = asked.map_err(|error| problem_of(&error))?;
    let revision = standing.revision;
    Ok(Answer::new(call.account, standing).at(revision).with_receipt(receipt))
}

pub(super) async fn history(
    State(bank): State<Bank>,
    uri: Uri,
    call: Call,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Answer<HistoryPage>, Problem> {
    let Query(part) = part.map_err(|e| Problem::new(INVALID_REQUEST, e.body_text()))?;
    let limit = page_limit(part.limit)?;
    let found = bank.history(&call.account, part.after, limit).await.map_err(problem_of_read)?;
    let history =
        found.ok_or_else(|| Problem::new(UNKNOWN_ACCOUNT, Refused::NotOpen.to_string()))?;
    let next = history
        .events
        .last()
        .filter(|_| history.has_more)
        .map(|last| format!("{}?after={}&limit={limit}", uri.path(), last.revision));
    Ok(Answer::new(call.account, HistoryPage { events: history.events, next }))
}

/// Sends a command that changes the account, as the caller wants it sent.
async fn change<C: Payload, At>(
    bank: &Bank,
    call: Call,
    command: C,
) -> Result<Answer<Applied>, Problem>
where
    Account: Handle<C, Reply = Applied, Rejection = Refused>,
    <Account as Entity>::Commands: Lists<C, At>,
{
    let ask = call.prepare(bank.account(&call.account).ask(command));
    let (applied, receipt) = ask.with_receipt().await.map_err(|error| problem_of(&error))?;
    let revision = applied.revision;
    Ok(Answer::new(call.account, applied).at(revision).with_receipt(receipt))
}

pub(super) fn page_limit(asked: Option<NonZeroU32>) -> Result<NonZeroU32, Problem> {
    let limit = asked.or(NonZeroU32::new(PAGE)).unwrap_or(NonZeroU32::MIN);
    if limit.get() > PAGE_MAX {
        let detail = format!("limit is {limit}, a page has at most {PAGE_MAX}");
        return Err(Problem::new(INVALID_REQUEST, detail));
    }
    Ok(limit)
}
