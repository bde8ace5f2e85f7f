use super::{Problem, problem_type::FOREIGN_ORIGIN};
use actum_publish_websocket::Origins;
use axum::{
    extract::Request,
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses changes that a page of another host asks for: a browser sends what has no body of JSON from any page, and asks no one.
pub(super) async fn only_own_pages(request: Request, next: Next) -> Response {
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    if changes && !Origins::Same.allow(request.headers()) {
        let detail = "a page of another host asks for a change";
        return Problem::new(FOREIGN_ORIGIN, detail).into_response();
    }
    next.run(request).await
}
