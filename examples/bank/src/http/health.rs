//! Whether the bank lives, and whether it serves: for what starts and stops it.

use super::answer::json;
use crate::Bank;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

#[derive(Serialize)]
struct ShownHealth {
    state: &'static str,
    /// Why it does not serve, or what else is wrong.
    reasons: Vec<String>,
}

/// The process answers: nothing else is asked, least of all the database.
pub(super) async fn live() -> Response {
    json(&ShownHealth { state: "live", reasons: Vec::new() }).into_response()
}

/// The bank takes orders: it may write, and belongs to its cluster if it is to.
pub(super) async fn ready(State(bank): State<Bank>) -> Response {
    let health = bank.health();
    let mut reasons = health.reasons.clone();
    let mut is_ready = health.is_serving();
    if let Some(cluster) = bank.cluster()
        && !cluster.members.iter().any(|member| member.incarnation == cluster.me)
    {
        is_ready = false;
        reasons.push("this node is not a member of its cluster at the moment".to_owned());
    }
    let (status, state) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (status, json(&ShownHealth { state, reasons })).into_response()
}
