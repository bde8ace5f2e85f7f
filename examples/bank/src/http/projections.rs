//! The projections of the bank, for those who run it.

use super::{
    Problem,
    answer::json,
    problem_type::{INVALID_REQUEST, NOT_DIVIDED, UNAVAILABLE, UNKNOWN_PROJECTION, UNKNOWN_ROUTE},
};
use crate::{Bank, projections::ShownProjection};
use actum::{NotDivided, ProjectionError, ProjectionRef};
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

#[derive(Serialize)]
struct Projections {
    projections: Vec<ShownProjection>,
}

#[derive(Serialize)]
struct Done {
    /// What was done, in words.
    done: String,
}

pub(super) async fn list(State(bank): State<Bank>) -> Result<impl IntoResponse, Problem> {
    let mut projections = Vec::new();
    for projection in bank.projections() {
        projections.push(shown(&projection).await.map_err(problem_of)?);
    }
    Ok(json(&Projections { projections }))
}

/// What an action is to be done with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    /// Into how many segments a projection is divided.
    segments: Option<NonZeroU16>,
}

/// Does something with a projection.
pub(super) async fn act(
    State(bank): State<Bank>,
    Path((name, action)): Path<(String, String)>,
    with: Result<Query<With>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let projection = bank.projections().find(|projection| projection.name() == name);
    let unknown = || Problem::new(UNKNOWN_PROJECTION, format!("the bank has no projection {name}"));
    let projection = projection.ok_or_else(unknown)?;
    let segments = match (&*action, with) {
        ("divide", Ok(Query(With { segments: Some(segments) }))) => segments,
        ("divide", _) => {
            let detail =
                "divide takes a number of segments, 1 or more, and nothing else: ?segments=4";
            return Err(invalid(detail.to_owned()));
        }
        (_, Ok(Query(With { segments: None }))) => NonZeroU16::MIN,
        _ => return Err(invalid(format!("{action} takes nothing behind a question mark"))),
    };
    let done = match &*action {
        "rebuild" => projection.reset().await.map(|()| "begun again".to_owned()),
        "pause" => projection.pause().await.map(|()| "paused".to_owned()),
        "resume" => projection.resume().await.map(|()| "goes on".to_owned()),
        "replay" => replay(&projection).await,
        "divide" => divide(&projection, segments).await,
        _ => {
            let detail = format!(
                "a projection takes rebuild, replay, pause, resume and divide, not {action}"
            );
            return Err(Problem::new(UNKNOWN_ROUTE, detail));
        }
    };
    Ok(json(&Done { done: done.map_err(problem_of)? }))
}

async fn replay(projection: &ProjectionRef) -> Result<String, ProjectionError> {
    let parked = projection.replay_parked(None).await?;
    let letters = projection.replay_dead_letters(None).await?;
    Ok(format!("replays {parked} parked accounts and {letters} dead letters"))
}

async fn divide(
    projection: &ProjectionRef,
    segments: NonZeroU16,
) -> Result<String, ProjectionError> {
    Ok(format!("divided, segments: {}", projection.divide(segments).await?))
}

/// How a projection is; also of one that has not begun.
async fn shown(projection: &ProjectionRef) -> Result<ShownProjection, ProjectionError> {
    match projection.status().await {
        Ok(status) => Ok(status.into()),
        Err(ProjectionError::NotStarted { name, why }) => {
            Ok(ShownProjection::starting(name, why.map(|why| why.to_string())))
        }
        Err(error) => Err(error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it takes what `map_err` gives")]
fn problem_of(error: ProjectionError) -> Problem {
    let kind = match error {
        ProjectionError::Invalid { .. }
        | ProjectionError::NotDivided { why: NotDivided::TooMany { .. }, .. } => INVALID_REQUEST,
        ProjectionError::NotDivided { .. } => NOT_DIVIDED,
        _ => UNAVAILABLE,
    };
    Problem::new(kind, error.to_string())
}

fn invalid(detail: String) -> Problem {
    Problem::new(INVALID_REQUEST, detail)
}
