use std::time::{Duration, Instant};

use actum_testkit::TcpProxy;
use tokio::io::AsyncWriteExt;

use super::echo_server::{EchoServer, client, ping, read};

/// The median round trip of `count` in a row.
async fn round_trip(client: &mut tokio::net::TcpStream, count: usize) -> Duration {
    let mut trips = Vec::new();
    for _ in 0..count {
        trips.push(ping(client, "x").await);
    }
    trips.sort();
    trips[count / 2]
}

#[tokio::test]
async fn bytes_travel_as_long_as_set_each_way() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut client = client(&proxy).await;
    let bare = round_trip(&mut client, 200).await;
    eprintln!("without a delay: {bare:?}");
    for one_way in [250, 500, 1_000, 5_000].map(Duration::from_micros) {
        proxy.delay(one_way);
        let took = round_trip(&mut client, 100).await;
        eprintln!("{one_way:?} each way: {took:?}");
        // the timer may be a little early, and on a busy machine everything may be late
        assert!(took + Duration::from_micros(200) > one_way * 2, "{one_way:?} each way: {took:?}");
    }
    proxy.delay(Duration::ZERO);
    ping(&mut client, "x").await;
}

#[tokio::test]
async fn delay_does_not_limit_the_rate() {
    const BYTES: usize = 8_000_000;
    const ONE_WAY: Duration = Duration::from_millis(50);
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut client = client(&proxy).await;
    proxy.delay(ONE_WAY);
    let start = Instant::now();
    let (mut read_half, mut write_half) = client.split();
    let mut echoed = vec![0; BYTES];
    let writes = async { write_half.write_all(&vec![7; BYTES]).await.unwrap() };
    let reads = tokio::io::AsyncReadExt::read_exact(&mut read_half, &mut echoed);
    let ((), echoed) = tokio::join!(writes, reads);
    echoed.unwrap();
    let took = start.elapsed();
    // chunk by chunk, 16 KiB each, it would take 25 seconds
    assert!(took > ONE_WAY * 2 && took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn bytes_keep_their_order_when_the_delay_gets_shorter() {
    let server = EchoServer::start().await;
    let proxy = TcpProxy::start(server.address);
    let mut client = client(&proxy).await;
    ping(&mut client, "x").await;
    let mut sent = String::new();
    for one_way in [20, 10, 5, 0] {
        proxy.delay(Duration::from_millis(one_way));
        client.write_all(format!("{one_way},").as_bytes()).await.unwrap();
        sent.push_str(&format!("{one_way},"));
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&mut client, sent.len()).await, sent.as_bytes());
}
