use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread,
};

use serde_json::{Value, json};
use xtask::http::request;

/// Answers one request with `answer` and gives the request's first line and its body.
fn serve(answer: &'static str) -> (String, thread::JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length) = (String::new(), 0);
        lines.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (first, String::from_utf8(body).unwrap())
    });
    (authority, server)
}

#[test]
fn json_goes_both_ways() {
    let (authority, server) =
        serve("HTTP/1.1 201 Created\r\ncontent-length: 14\r\n\r\n{\"balance\": 5}");
    let answer = request(&authority, "POST", "/accounts", Some(&json!({ "id": "a" }))).unwrap();
    assert_eq!(answer, json!({ "balance": 5 }));
    assert_eq!(
        server.join().unwrap(),
        ("POST /accounts HTTP/1.1\r\n".to_owned(), "{\"id\":\"a\"}".to_owned())
    );
}

#[test]
fn answer_without_a_body_is_null() {
    let (authority, _server) = serve("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(request(&authority, "GET", "/", None).unwrap(), Value::Null);
}

#[test]
fn anything_but_success_is_an_error_with_status_and_body() {
    for (answer, part) in [
        ("HTTP/1.1 409 Conflict\r\n\r\n{\"title\":\"taken\"}", "status 409: {\"title\":\"taken\"}"),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "not JSON: hello"),
        ("HTTP/1.1 200 OK\r\n", "no end of the headers"),
    ] {
        let (authority, _server) = serve(answer);
        let error = request(&authority, "GET", "/accounts/a", None).unwrap_err();
        assert!(format!("{error:#}").contains(part), "{error:#}");
    }
}
