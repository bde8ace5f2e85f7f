use super::Problem;
use axum::{extract::Path, http::StatusCode};
use std::fmt::Write;

/// One of the kinds of problems the bank knows: what its documents name as their `type`, and what that address serves.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// Its name; the `type` of a document is `/problems/` and this.
    pub name: &'static str,
    /// The status it comes with.
    pub status: StatusCode,
    /// What it is, in few words.
    pub title: &'static str,
    /// What a caller can do about it.
    pub advice: &'static str,
}

macro_rules! problem_types {
    ($($constant:ident: $status:ident $name:literal, $title:literal, $advice:literal;)+) => {
        $(
            #[doc = $title]
            pub(super) const $constant: &ProblemType =
                &ProblemType { name: $name, status: StatusCode::$status, title: $title, advice: $advice };
        )+
        impl ProblemType {
            /// All of them.
            pub const ALL: &'static [&'static Self] = &[$($constant),+];
        }
    };
}

problem_types! {
    INVALID_REQUEST: BAD_REQUEST "invalid-request", "The request is not valid",
        "Correct what the detail names: the account id, a header, or the query.";
    MALFORMED_JSON: BAD_REQUEST "malformed-json", "The body is not JSON",
        "Send one JSON object.";
    FOREIGN_ORIGIN: FORBIDDEN "foreign-origin", "A page of another host may change nothing",
        "Use the bank's own page, or a program. Nothing was done.";
    UNKNOWN_ACCOUNT: NOT_FOUND "unknown-account", "There is no such account",
        "Open it first: POST /accounts/{id} with an owner.";
    UNKNOWN_PROJECTION: NOT_FOUND "unknown-projection", "There is no such projection",
        "See GET /projections.";
    UNKNOWN_ROUTE: NOT_FOUND "unknown-route", "There is nothing at this address",
        "See the README of the bank for its addresses.";
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED "method-not-allowed", "This address does not take this method",
        "Use one of the methods in the header Allow.";
    SLOW_BODY: REQUEST_TIMEOUT "slow-body", "The body did not arrive in time",
        "Send it again, faster. Nothing was done.";
    ACCOUNT_OPEN: CONFLICT "account-open", "The account is open already",
        "Choose another id.";
    ACCOUNT_CLOSED: CONFLICT "account-closed", "The account is closed",
        "An account that was closed stays so. Open one with another id.";
    ACCOUNT_NOT_EMPTY: CONFLICT "account-not-empty", "There is money on the account",
        "Withdraw the balance, then close it.";
    INSUFFICIENT_FUNDS: CONFLICT "insufficient-funds", "There is not enough money on the account",
        "Withdraw less, or deposit first. Nothing was done.";
    BALANCE_OVERFLOW: CONFLICT "balance-overflow", "The balance would be too large",
        "Deposit less. Nothing was done.";
    CONFLICT: CONFLICT "conflict", "Another request changed the account first",
        "Nothing was done. Look at the account, and try again.";
    NOT_DIVIDED: CONFLICT "not-divided", "The projection was not divided",
        "Its segments are as they were. Do about it what the detail says, and ask again.";
    REVISION_MISMATCH: PRECONDITION_FAILED "revision-mismatch", "The account has changed",
        "It is not at the revision in If-Match. Nothing was done. Look at the account, and decide again.";
    BODY_TOO_LARGE: PAYLOAD_TOO_LARGE "body-too-large", "The body is too large",
        "A body has at most 16 KiB.";
    UNSUPPORTED_MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE "unsupported-media-type", "The body is not said to be JSON",
        "Send it with the header Content-Type: application/json.";
    INVALID_BODY: UNPROCESSABLE_ENTITY "invalid-body", "The body has not the right fields",
        "Correct the field that the detail names. Money is a whole number of minor units, such as cents.";
    INVALID_AMOUNT: UNPROCESSABLE_ENTITY "invalid-amount", "The amount moves nothing",
        "Send an amount of at least 1.";
    INVALID_OWNER: UNPROCESSABLE_ENTITY "invalid-owner", "The owner is not a name",
        "Send 1 to 100 characters.";
    KEY_REUSED: UNPROCESSABLE_ENTITY "key-reused", "The Idempotency-Key was used for something else",
        "Nothing was done now. A key names one intention: use a new key for a new one.";
    REPLY_DELETED: GONE "reply-deleted", "It was done before, and the answer is gone",
        "Nothing was done now. Look at the account: the revision says what the request led to.";
    PANICKED: INTERNAL_SERVER_ERROR "panicked", "The bank has a bug",
        "Nothing was done. Report it to the operator of the bank.";
    CORRUPT: INTERNAL_SERVER_ERROR "corrupt", "What is stored cannot be read",
        "Report it to the operator of the bank.";
    OUTCOME_UNKNOWN: INTERNAL_SERVER_ERROR "outcome-unknown", "It is not known whether it was done",
        "Send the request again with the same Idempotency-Key; it is done once. Without one, look at the account first.";
    INTERNAL: INTERNAL_SERVER_ERROR "internal", "The bank failed",
        "Report it to the operator of the bank.";
    OVERLOADED: SERVICE_UNAVAILABLE "overloaded", "The bank has too much to do",
        "Nothing was done. Send the request again after the time in Retry-After.";
    UNAVAILABLE: SERVICE_UNAVAILABLE "unavailable", "The bank cannot serve this account at the moment",
        "Nothing was done. Send the request again after the time in Retry-After.";
    TIMEOUT: GATEWAY_TIMEOUT "timeout", "There was no answer in time",
        "If maybe_applied is true, send the request again only with the same Idempotency-Key.";
}

/// All problem types, a line each.
pub(super) async fn list() -> String {
    ProblemType::ALL.iter().fold(String::new(), |mut text, kind| {
        // writing to a string does not fail
        let _ = writeln!(text, "{} /problems/{}: {}", kind.status.as_u16(), kind.name, kind.title);
        text
    })
}

/// What a problem type means.
pub(super) async fn show(Path(name): Path<String>) -> Result<String, Problem> {
    let found = ProblemType::ALL.iter().find(|kind| kind.name == name);
    let kind = found.ok_or_else(|| Problem::new(UNKNOWN_ROUTE, "there is no such problem type"))?;
    Ok(format!("{}\n{}\n\n{}\n", kind.title, kind.status, kind.advice))
}
