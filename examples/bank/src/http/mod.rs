//! The service around the bank. Every error is a problem document (RFC 9457), no matter which layer made it.

mod accounts;
mod answer;
mod body;
mod call;
mod failure;
mod problem;
mod problem_log;
mod problem_type;
mod projections;
mod read_models;

pub use problem::Problem;
pub use problem_type::ProblemType;

use crate::Bank;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use problem_log::ProblemLog;
use std::sync::Arc;

/// The largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 16 << 10;

/// The routes of the bank.
pub fn router(bank: Bank) -> Router {
    let log = Arc::new(ProblemLog::default());
    Router::new()
        .route("/accounts", get(read_models::list))
        .route("/accounts/{id}", post(accounts::open).get(accounts::standing))
        .route("/accounts/{id}/deposits", post(accounts::deposit))
        .route("/accounts/{id}/withdrawals", post(accounts::withdraw))
        .route("/accounts/{id}/close", post(accounts::close))
        .route("/accounts/{id}/history", get(accounts::history))
        .route("/accounts/{id}/statement", get(read_models::statement))
        .route("/days", get(read_models::days))
        .route("/projections", get(projections::list))
        .route("/projections/{name}/{action}", post(projections::act))
        .route("/problems", get(problem_type::list))
        .route("/problems/{slug}", get(problem_type::show))
        .with_state(bank)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // outermost: it also writes the documents of what the router itself refuses
        .layer(middleware::from_fn_with_state(log, problem::write_document))
}
