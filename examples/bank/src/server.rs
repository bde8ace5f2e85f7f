use crate::{Bank, connection, http};
use actum::ShutdownReport;
use actum_publish_websocket::LiveClients;
use axum::{Router, serve::Listener};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// How long requests under way have to finish once the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long those who follow the events have to hear that the bank ends.
const FOLLOWERS_TIMEOUT: Duration = Duration::from_secs(2);

/// How many connections are open at once. More wait in the system's queue until one ends; idle ones end by
/// [`HEAD_TIMEOUT`](connection::HEAD_TIMEOUT).
const CONNECTIONS_MAX: usize = 1_000;

/// A bank that serves on a port.
#[derive(Debug)]
pub struct Server {
    bank: Bank,
    address: SocketAddr,
    stopping: watch::Sender<()>,
    serving: JoinHandle<()>,
    followers: LiveClients,
}

impl Server {
    /// Serves `bank` to all that connect to `listener`.
    ///
    /// # Errors
    /// When the system does not say what address the listener has.
    pub fn start(bank: Bank, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stopping, stop) = watch::channel(());
        let (router, followers) = http::router(bank.clone());
        let serving = tokio::spawn(serve(listener, router, stop, CONNECTIONS_MAX));
        Ok(Self { bank, address, stopping, serving, followers })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops gracefully: takes no more connections, answers what was asked, then shuts the engine down. Connections
    /// without a request are closed at once.
    pub async fn stop(mut self) -> ShutdownReport {
        self.stopping.send_replace(());
        if timeout(DRAIN_TIMEOUT, &mut self.serving).await.is_err() {
            tracing::warn!(timeout = ?DRAIN_TIMEOUT, "some requests did not end, leaving them");
            self.serving.abort();
        }
        let report = self.bank.shutdown().await;
        // they hear why they are disconnected
        let _ = timeout(FOLLOWERS_TIMEOUT, self.followers.closed()).await;
        report
    }
}

/// Accepts connections until `stop` changes or its sender is gone, then waits for those that are open.
async fn serve(
    mut listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<()>,
    connections_max: usize,
) {
    let places = Arc::new(Semaphore::new(connections_max));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            let (stream, _) = Listener::accept(&mut listener).await; // waits out errors by itself
            (place, stream)
        };
        tokio::select! {
            biased; // the end first, then places that become free
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            (place, stream) = next => {
                let connection = connection::serve(stream, router.clone(), stop.clone());
                connections.spawn(async move {
                    let _place = place;
                    connection.await;
                });
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use super::serve;
    use axum::{Router, routing::get};
    use std::{net::SocketAddr, time::Duration};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::watch,
        task::JoinHandle,
        time::timeout,
    };

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: bank\r\n\r\n";

    async fn start(connections_max: usize) -> (SocketAddr, watch::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let router = Router::new().route("/", get(async || "hello"));
        let (stopping, stop) = watch::channel(());
        (address, stopping, tokio::spawn(serve(listener, router, stop, connections_max)))
    }

    async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut connection = TcpStream::connect(address).await.expect("it listens");
        connection.write_all(bytes).await.expect("it reads");
        connection
    }

    async fn answer(connection: &mut TcpStream) -> String {
        let mut answer = [0; 1_024];
        let length = connection.read(&mut answer).await.expect("it answers");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn connections_beyond_the_bound_wait_for_a_place() {
        let (address, _stopping, _serving) = start(2).await;
        let mut open = [send(address, REQUEST).await, send(address, REQUEST).await];
        for connection in &mut open {
            assert!(answer(connection).await.ends_with("hello"));
        }
        let mut third = send(address, REQUEST).await;
        let early = timeout(Duration::from_millis(50), answer(&mut third)).await;
        assert!(early.is_err(), "there was no place for it: {early:?}");
        drop(open);
        assert!(answer(&mut third).await.ends_with("hello"));
    }

    #[tokio::test]
    async fn end_waits_for_no_connection_without_a_request() {
        let (address, stopping, serving) = start(8).await;
        let mut kept_alive = send(address, REQUEST).await;
        assert!(answer(&mut kept_alive).await.ends_with("hello"));
        let _silent = send(address, b"").await;
        let _half_sent = send(address, &REQUEST[..20]).await;
        // accepted in order: once this one is answered the server knows them all
        let mut last = send(address, REQUEST).await;
        assert!(answer(&mut last).await.ends_with("hello"));
        stopping.send_replace(());
        serving.await.expect("it ends although four clients keep their connections");
    }
}
