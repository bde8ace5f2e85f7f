use actum_testkit::TcpProxy;
use tokio::{io::AsyncWriteExt, time::timeout};

use super::echo_server::{
    A_WHILE, EchoServer, End, Seen, client, is_silent, ping, read, rest, turned_away,
};

#[tokio::test]
async fn cut_resets_all_connections_and_new_ones_work() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let (mut one, mut other) = (client(&proxy).await, client(&proxy).await);
    ping(&mut one, "one").await;
    ping(&mut other, "other").await;
    proxy.cut();
    for (nr, client) in [&mut one, &mut other].into_iter().enumerate() {
        assert_eq!(rest(client).await, (Vec::new(), End::Reset));
        assert_eq!(server.ended(nr).await.end, Some(End::Reset));
    }
    ping(&mut client(&proxy).await, "again").await;
}

#[tokio::test]
async fn refused_clients_are_reset_and_the_others_go_on() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut before = client(&proxy).await;
    ping(&mut before, "before").await;
    proxy.refuse(true);
    assert_eq!(turned_away(&proxy).await, (Vec::new(), End::Reset));
    ping(&mut before, "still").await;
    proxy.refuse(false);
    ping(&mut client(&proxy).await, "after").await;
    assert_eq!(server.seen().len(), 2, "the refused one never reached the server");
}

#[tokio::test]
async fn stalled_network_delivers_nothing_and_loses_nothing() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut before = client(&proxy).await;
    ping(&mut before, "a").await;
    proxy.stall(true);
    before.write_all(b"b").await.unwrap();
    let mut during = client(&proxy).await;
    during.write_all(b"c").await.unwrap();
    assert!(is_silent(&mut before).await && is_silent(&mut during).await);
    let seen = vec![Seen { bytes: b"a".to_vec(), end: None }];
    assert_eq!(server.seen(), seen);
    proxy.stall(false);
    assert_eq!(read(&mut before, 1).await, b"b");
    assert_eq!(read(&mut during, 1).await, b"c");
}

#[tokio::test]
async fn stalled_network_takes_only_so_much() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut client = client(&proxy).await;
    ping(&mut client, "a").await;
    proxy.stall(true);
    // the buffers of the system hold some megabytes
    let mut taken = 0;
    while timeout(A_WHILE, client.write_all(&[0; 64 * 1024])).await.is_ok() {
        taken += 1;
        assert!(taken < 1024, "64 MiB went nowhere");
    }
    assert_eq!(server.seen()[0].bytes, b"a");
}

#[tokio::test]
async fn end_is_not_seen_through_a_stalled_network_but_a_cut_is() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let (mut leaves, mut stays) = (client(&proxy).await, client(&proxy).await);
    ping(&mut leaves, "leaves").await;
    ping(&mut stays, "stays").await;
    proxy.stall(true);
    drop(leaves);
    assert!(is_silent(&mut stays).await);
    assert!(server.seen().iter().all(|seen| seen.end.is_none()));
    proxy.cut();
    assert_eq!(rest(&mut stays).await.1, End::Reset);
    for nr in 0..2 {
        server.ended(nr).await;
    }
}
