use std::time::Duration;

use actum_testkit::{Rule, TcpProxy, Then};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::echo_server::{EchoServer, End, SOON, Seen, client, is_silent, ping, rest};

async fn fired(rule: &Rule) {
    timeout(SOON, rule.fired()).await.expect("the rule fires soon");
}

async fn settled(rule: &Rule) {
    timeout(SOON, rule.settled()).await.expect("the rule settles soon");
}

#[tokio::test]
async fn cut_before_keeps_the_whole_chunk_from_the_server() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::CutBefore);
    let mut client = client(&proxy).await;
    ping(&mut client, "begin").await;
    assert!(!rule.has_fired());
    client.write_all(b"insert; commit; more").await.unwrap();
    assert_eq!(rest(&mut client).await, (Vec::new(), End::Reset));
    fired(&rule).await;
    settled(&rule).await;
    let seen = Seen { bytes: b"begin".to_vec(), end: Some(End::Reset) };
    assert_eq!(server.ended(0).await, seen);
}

#[tokio::test]
async fn pattern_is_found_across_chunks() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::CutBefore);
    let mut client = client(&proxy).await;
    // each is back before the next is sent, so they cannot be one chunk
    for part in ["com", "m", "i"] {
        ping(&mut client, part).await;
    }
    client.write_all(b"t").await.unwrap();
    assert_eq!(rest(&mut client).await.1, End::Reset);
    fired(&rule).await;
    assert_eq!(server.ended(0).await.bytes, b"commi");
}

#[tokio::test]
async fn longest_pattern_is_found_wherever_it_is_split() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let pattern: String = (0..256).map(|nr| char::from(b'a' + nr as u8 % 26)).collect();
    for split in [1, 128, 255] {
        let rule = proxy.on(pattern.as_bytes(), Then::CutBefore);
        let mut client = client(&proxy).await;
        ping(&mut client, &"z".repeat(1_000)).await;
        ping(&mut client, &pattern[..split]).await;
        assert!(!rule.has_fired());
        client.write_all(&pattern.as_bytes()[split..]).await.unwrap();
        assert_eq!(rest(&mut client).await.1, End::Reset);
    }
}

#[tokio::test]
async fn cut_after_sending_lets_the_server_have_it_all() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::CutAfterSending);
    let mut client = client(&proxy).await;
    ping(&mut client, "begin").await;
    proxy.delay(Duration::from_millis(50));
    client.write_all(b"insert; commit; more").await.unwrap();
    assert_eq!(rest(&mut client).await, (Vec::new(), End::Reset));
    fired(&rule).await;
    // while the bytes are still on their way
    proxy.cut();
    settled(&rule).await;
    let seen = Seen { bytes: b"begininsert; commit; more".to_vec(), end: Some(End::Closed) };
    assert_eq!(server.ended(0).await, seen);
}

#[tokio::test]
async fn cut_after_answer_loses_the_answer() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::CutAfterAnswer);
    let mut client = client(&proxy).await;
    ping(&mut client, "begin").await;
    client.write_all(b"insert; commit").await.unwrap();
    assert_eq!(rest(&mut client).await, (Vec::new(), End::Reset));
    fired(&rule).await;
    settled(&rule).await;
    let seen = Seen { bytes: b"begininsert; commit".to_vec(), end: Some(End::Closed) };
    assert_eq!(server.ended(0).await, seen);
}

#[tokio::test]
async fn held_bytes_arrive_late_when_their_client_is_long_gone() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::Hold);
    let mut client_of_old = client(&proxy).await;
    ping(&mut client_of_old, "begin").await;
    client_of_old.write_all(b"insert; commit").await.unwrap();
    fired(&rule).await;
    proxy.cut();
    assert_eq!(rest(&mut client_of_old).await, (Vec::new(), End::Reset));
    // another connection's come first
    ping(&mut client(&proxy).await, "read").await;
    assert_eq!(server.seen()[0], Seen { bytes: b"begin".to_vec(), end: None });
    rule.release();
    settled(&rule).await;
    let seen = Seen { bytes: b"begininsert; commit".to_vec(), end: Some(End::Closed) };
    assert_eq!(server.ended(0).await, seen);
}

#[tokio::test]
async fn held_connection_goes_on_for_a_client_that_waits() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::Hold);
    let mut client = client(&proxy).await;
    client.write_all(b"commit").await.unwrap();
    fired(&rule).await;
    client.write_all(b"more").await.unwrap();
    assert!(is_silent(&mut client).await);
    rule.release();
    ping(&mut client, "").await;
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, (b"commitmore".to_vec(), End::Closed));
    settled(&rule).await;
}

#[tokio::test]
async fn client_that_leaves_while_its_bytes_are_held_does_not_take_them_along() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let rule = proxy.on(b"commit", Then::Hold);
    let mut client = client(&proxy).await;
    client.write_all(b"commit").await.unwrap();
    fired(&rule).await;
    drop(client);
    rule.release();
    settled(&rule).await;
    assert_eq!(server.ended(0).await.bytes, b"commit");
}

#[tokio::test]
async fn rule_fires_once_and_the_oldest_first() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let first = proxy.on(b"commit", Then::CutBefore);
    let second = proxy.on(b"commit", Then::CutAfterSending);
    for (rule, bytes) in [(&first, &b""[..]), (&second, &b"commit"[..])] {
        let nr = server.seen().len();
        let mut client = client(&proxy).await;
        client.write_all(b"commit").await.unwrap();
        assert_eq!(rest(&mut client).await.1, End::Reset);
        fired(rule).await;
        assert_eq!(server.ended(nr).await.bytes, bytes);
    }
    ping(&mut client(&proxy).await, "commit").await;
}

#[tokio::test]
async fn rules_hold_for_what_comes_with_a_delay() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    proxy.delay(Duration::from_millis(5));
    let rule = proxy.on(b"commit", Then::CutAfterSending);
    let mut client = client(&proxy).await;
    client.write_all(b"begin").await.unwrap();
    client.write_all(b"commit").await.unwrap();
    assert_eq!(rest(&mut client).await.1, End::Reset);
    settled(&rule).await;
    assert_eq!(server.ended(0).await.bytes, b"begincommit");
}
