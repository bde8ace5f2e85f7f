//! The service around the bank. Every error is a problem document (RFC 9457), no matter which layer made it.

mod accounts;
mod answer;
mod body;
mod call;
mod cluster;
mod failure;
mod health;
mod live;
mod own_pages;
mod problem;
mod problem_log;
mod problem_type;
mod projections;
mod read_models;

pub use problem::Problem;
pub use problem_type::ProblemType;

use crate::Bank;
use actum_publish_websocket::LiveClients;
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

/// The routes of the bank, and those who follow its events by one of them.
///
/// # Panics
/// When the events cannot be served as they are set.
pub fn router(bank: Bank) -> (Router, LiveClients) {
    let log = Arc::new(ProblemLog::default());
    let live = bank.live();
    let clients = live.clients();
    let events = live.route().expect("the settings are within their bounds");
    let documented = Router::new()
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
        .route("/cluster", get(cluster::show))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .merge(live::page())
        .route("/problems", get(problem_type::list))
        .route("/problems/{slug}", get(problem_type::show))
        .with_state(bank)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(own_pages::only_own_pages))
        // outermost: it also writes the documents of what the router itself refuses
        .layer(middleware::from_fn_with_state(log, problem::write_document));
    // what it refuses a WebSocket it says as text: no page can read a document there
    (documented.route("/live/events", events), clients)
}
