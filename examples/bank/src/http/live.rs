//! A page for the browser: transactions as they happen, and how far the projections are.

use crate::Bank;
use axum::{
    Router,
    http::{HeaderValue, header},
    routing::{MethodRouter, get},
};
use std::future::ready;

/// The page and what it loads.
pub(super) fn page() -> Router<Bank> {
    let html = include_str!("../../web/index.html");
    let css = include_str!("../../web/style.css");
    let (page, feed) = (include_str!("../../web/page.js"), include_str!("../../web/feed.js"));
    Router::new()
        .route("/live", file("text/html; charset=utf-8", html))
        .route("/live/style.css", file("text/css; charset=utf-8", css))
        .route("/live/page.js", file("text/javascript; charset=utf-8", page))
        .route("/live/feed.js", file("text/javascript; charset=utf-8", feed))
}

/// Answers with a file that is part of the program.
fn file(content_type: &'static str, text: &'static str) -> MethodRouter<Bank> {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        // a bank of a later version has another page at the same address
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'self'; img-src data:"),
        ),
    ];
    get(move || ready((headers.clone(), text)))
}
