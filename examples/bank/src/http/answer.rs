use actum::Receipt;
use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, ETAG},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// An answer about an account: a JSON object that begins with the account.
#[derive(Debug, Serialize)]
pub(super) struct Answer<T> {
    account: String,
    #[serde(flatten)]
    content: T,
    #[serde(skip)]
    etag: Option<HeaderValue>,
    #[serde(skip)]
    receipt: Option<HeaderValue>,
}

/// The header that says where a write is, and which write is to be shown.
pub(super) const RECEIPT: HeaderName = HeaderName::from_static("receipt");

impl<T: Serialize> Answer<T> {
    pub(super) fn new(account: String, content: T) -> Self {
        Self { account, content, etag: None, receipt: None }
    }

    /// Adds the revision as the entity tag, for an `If-Match` to come.
    pub(super) fn at(mut self, revision: u64) -> Self {
        self.etag = HeaderValue::from_str(&format!("\"{revision}\"")).ok();
        self
    }

    /// Adds what a read can be asked to show.
    pub(super) fn with_receipt(mut self, receipt: Receipt) -> Self {
        self.receipt = HeaderValue::from_str(&receipt.to_string()).ok();
        self
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::OK, json_line(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(self.etag.map(|etag| (ETAG, etag)));
        headers.extend(self.receipt.map(|receipt| (RECEIPT, receipt)));
        response
    }
}

/// An answer that is about no one account.
pub(super) fn json(value: &impl Serialize) -> Response {
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (content_type, json_line(value)).into_response()
}

/// JSON that ends its line, for those who look at it in a terminal.
pub(super) fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("text and numbers are always JSON");
    line.push(b'\n');
    line
}
