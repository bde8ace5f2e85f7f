//! The URL of a database, taken apart as far as tests need it.

/// `url` with another database: `postgres://user@host:port/database?parameters`. `None` when it is no such URL.
pub(crate) fn with_database(url: &str, database: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "postgres" | "postgresql") {
        return None;
    }
    let (place, parameters) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
    let authority = place.split('/').next().unwrap_or_default();
    Some(format!("{scheme}://{authority}/{database}{parameters}"))
}

/// `url` as it may be shown: without user and password.
pub(crate) fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

/// A part of a URL in which only letters, digits and `-._~` stand for themselves.
pub(crate) fn encoded(part: &str) -> String {
    part.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
