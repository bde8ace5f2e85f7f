//! Just enough of HTTP/1.1 to speak to the bank: one request a connection, JSON both ways.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long one read or write may take.
const IO_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends one request to `authority` (`host:port`) and reads the whole answer.
///
/// # Errors
/// When the connection fails, the answer is not HTTP, is not a success, or its body is not JSON.
pub fn request(authority: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let line = format!("{method} {path}");
    let answer =
        exchange(authority, &line, body).with_context(|| format!("{line} on {authority}"))?;
    let (head, body) =
        answer.split_once("\r\n\r\n").with_context(|| format!("{line}: no end of the headers"))?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') || status.len() != 3 {
        bail!("{line}: status {status}: {body}");
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).with_context(|| format!("{line}: the body is not JSON: {body}"))
}

fn exchange(authority: &str, line: &str, body: Option<&Value>) -> Result<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\naccept: application/json\r\n"
    );
    let entity =
        format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(format!("{head}{entity}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
