use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use actum_testkit::TcpProxy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

/// How long something may take that happens soon.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// How long something is watched that must not happen.
pub(super) const A_WHILE: Duration = Duration::from_millis(50);

/// What the server saw of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: Vec<u8>,
    pub(super) end: Option<End>,
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    Reset,
}

/// Sends back what it gets, and remembers it by connection.
pub(super) struct EchoServer {
    pub(super) address: SocketAddr,
    seen: watch::Receiver<Vec<Seen>>,
    _tasks: JoinSet<()>,
}

impl EchoServer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen_tx, seen) = watch::channel(Vec::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            for nr in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                seen_tx.send_modify(|seen| seen.push(Seen::default()));
                connections.spawn(echo(stream, nr, seen_tx.clone()));
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    /// Waits until what was seen is as it should be.
    pub(super) async fn until(&self, reached: impl Fn(&[Seen]) -> bool) {
        let mut seen = self.seen.clone();
        let waited = timeout(SOON, seen.wait_for(|seen| reached(seen))).await;
        assert!(waited.is_ok(), "the server saw {:?}", self.seen());
    }

    /// Waits until connection `nr` has ended and gives what was seen of it.
    pub(super) async fn ended(&self, nr: usize) -> Seen {
        self.until(|seen| seen.get(nr).is_some_and(|seen| seen.end.is_some())).await;
        self.seen()[nr].clone()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }
}

async fn echo(mut stream: TcpStream, nr: usize, seen: watch::Sender<Vec<Seen>>) {
    let mut buffer = vec![0; 64 * 1024];
    let end = loop {
        match stream.read(&mut buffer).await {
            Ok(0) => break End::Closed,
            Err(_) => break End::Reset,
            Ok(read) => {
                seen.send_modify(|seen| seen[nr].bytes.extend_from_slice(&buffer[..read]));
                // a client that does not want the answer still says what it says
                let _ = stream.write_all(&buffer[..read]).await;
            }
        }
    };
    seen.send_modify(|seen| seen[nr].end = Some(end));
}

/// A client that is connected through the proxy as far as its own system can see.
pub(super) async fn client(proxy: &TcpProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Connects through the proxy and gives what becomes of the connection, which may be over before it is made.
pub(super) async fn turned_away(proxy: &TcpProxy) -> (Vec<u8>, End) {
    match TcpStream::connect(proxy.address()).await {
        Ok(mut client) => rest(&mut client).await,
        Err(_) => (Vec::new(), End::Reset),
    }
}

/// Sends `text` and waits for it to come back.
pub(super) async fn ping(client: &mut TcpStream, text: &str) -> Duration {
    let start = Instant::now();
    client.write_all(text.as_bytes()).await.unwrap();
    assert_eq!(read(client, text.len()).await, text.as_bytes());
    start.elapsed()
}

/// Reads exactly `length` bytes.
pub(super) async fn read(client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(SOON, client.read_exact(&mut bytes)).await.expect("it comes soon").unwrap();
    bytes
}

/// Reads to the end, whatever it is.
pub(super) async fn rest(client: &mut TcpStream) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    match timeout(SOON, client.read_to_end(&mut bytes)).await.expect("it ends soon") {
        Ok(_) => (bytes, End::Closed),
        Err(_) => (bytes, End::Reset),
    }
}

/// Whether nothing comes for a while, not even an end.
pub(super) async fn is_silent(client: &mut TcpStream) -> bool {
    timeout(A_WHILE, client.read(&mut [0])).await.is_err()
}
