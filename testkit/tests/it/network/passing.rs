use std::net::TcpListener;

use actum_testkit::TcpProxy;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::echo_server::{EchoServer, End, Seen, client, ping, read, rest, turned_away};

#[tokio::test]
async fn bytes_and_ends_pass_both_ways() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut client = client(&proxy).await;
    ping(&mut client, "hello").await;
    client.write_all(b"last").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, (b"last".to_vec(), End::Closed));
    let seen = Seen { bytes: b"hellolast".to_vec(), end: Some(End::Closed) };
    assert_eq!(server.ended(0).await, seen);
}

#[tokio::test]
async fn many_bytes_pass_in_order_on_many_connections() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let sent: Vec<u8> = (0..4_000_000_u32).map(|nr| (nr * 31 / 7) as u8).collect();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (sent, client) = (sent.clone(), client(&proxy).await);
        clients.spawn(async move {
            let (mut read_half, mut write_half) = client.into_split();
            let write = async {
                write_half.write_all(&sent).await.unwrap();
                write_half.shutdown().await.unwrap();
            };
            let mut echoed = Vec::new();
            let read = tokio::io::AsyncReadExt::read_to_end(&mut read_half, &mut echoed);
            let ((), echoed_bytes) = tokio::join!(write, read);
            assert_eq!(echoed_bytes.unwrap(), sent.len());
            assert!(echoed == sent, "what came back is not what was sent");
        });
    }
    clients.join_all().await;
}

#[tokio::test]
async fn server_that_is_not_there_resets_the_client_and_may_come_later() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = TcpProxy::start(address);
    assert_eq!(turned_away(&proxy).await, (Vec::new(), End::Reset));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let _client = client(&proxy).await;
    listener.accept().await.unwrap();
}

#[tokio::test]
async fn reset_of_the_server_reaches_the_client() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = TcpProxy::start(listener.local_addr().unwrap());
    let mut client = client(&proxy).await;
    let (server, _) = listener.accept().await.unwrap();
    server.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await, (Vec::new(), End::Reset));
}

#[tokio::test]
async fn end_of_the_server_reaches_the_client_that_may_still_speak() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = TcpProxy::start(listener.local_addr().unwrap());
    let mut client = client(&proxy).await;
    let (mut server, _) = listener.accept().await.unwrap();
    server.write_all(b"bye").await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, (b"bye".to_vec(), End::Closed));
    client.write_all(b"bye").await.unwrap();
    assert_eq!(read(&mut server, 3).await, b"bye");
}

#[tokio::test]
async fn nothing_lives_longer_than_the_proxy() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let address = proxy.address();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = client(&proxy).await;
        ping(&mut client, "hello").await;
        clients.push(client);
    }
    drop(proxy);
    for (nr, client) in clients.iter_mut().enumerate() {
        assert!(rest(client).await.0.is_empty());
        server.ended(nr).await;
    }
    TcpStream::connect(address).await.unwrap_err();
}
