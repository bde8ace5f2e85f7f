//! Connections that are kept without a use for them end by themselves.

use crate::service::Service;
use std::time::Duration;
use tokio::time::Instant;

const REQUEST: &[u8] = b"GET /accounts/ada HTTP/1.1\r\nhost: bank\r\n\r\n";
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn client_that_stops_within_the_head_of_a_request_is_disconnected() {
    let service = Service::with_ada().await;
    for half in [&REQUEST[..0], &REQUEST[..5], &REQUEST[..REQUEST.len() - 2]] {
        let began = Instant::now();
        let answer = service.raw(half).await;
        assert!(!answer.contains("200 OK"), "{answer}");
        assert!(began.elapsed() >= HEAD_TIMEOUT, "it had its time");
    }
    assert_eq!(service.ada().await, (100, 2));
}

#[tokio::test(start_paused = true)]
async fn connection_that_is_kept_alive_without_a_request_is_closed() {
    let service = Service::with_ada().await;
    let began = Instant::now();
    let answer = service.raw(REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(began.elapsed() >= HEAD_TIMEOUT, "it could have been used again");
}
