//! The projections of the bank, for those who run it.

use super::{
    Problem,
    answer::json,
    problem_type::{INVALID_REQUEST, UNAVAILABLE, UNKNOWN_PROJECTION, UNKNOWN_ROUTE},
};
use crate::{Bank, projections::ShownProjection};
use actum::{ProjectionError, ProjectionRef};
use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use serde::Serialize;

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

/// Does something with a projection.
pub(super) async fn act(
    State(bank): State<Bank>,
    Path((name, action)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let projection = bank.projections().find(|projection| projection.name() == name);
    let unknown = || Problem::new(UNKNOWN_PROJECTION, format!("the bank has no projection {name}"));
    let projection = projection.ok_or_else(unknown)?;
    let done = match &*action {
        "rebuild" => projection.reset().await.map(|()| "begun again".to_owned()),
        "pause" => projection.pause().await.map(|()| "paused".to_owned()),
        "resume" => projection.resume().await.map(|()| "goes on".to_owned()),
        "replay" => replay(&projection).await,
        _ => {
            let detail =
                format!("a projection takes rebuild, replay, pause and resume, not {action}");
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
        ProjectionError::Invalid { .. } => INVALID_REQUEST,
        _ => UNAVAILABLE,
    };
    Problem::new(kind, error.to_string())
}
