use crate::bounded::until;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// An address that stays the same while the server behind it comes back on another port.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    port: Arc<AtomicU16>,
    traffic: Arc<Traffic>,
    serving: JoinHandle<()>,
}

/// What clients got.
#[derive(Default)]
struct Traffic {
    connected: AtomicUsize,
    /// By those that have gone.
    received: AtomicU64,
}

impl Relay {
    /// Starts one in front of a port of this machine.
    pub(crate) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = Arc::new(AtomicU16::new(port));
        let traffic = Arc::<Traffic>::default();
        let serving = tokio::spawn(serve(listener, Arc::clone(&port), Arc::clone(&traffic)));
        Self { address, port, traffic, serving }
    }

    /// Leads new clients to another port.
    pub(crate) fn turn_to(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }

    /// How many bytes came back from the server, once all clients have gone.
    pub(crate) async fn received(&self) -> u64 {
        let gone = async || self.traffic.connected.load(Ordering::SeqCst) == 0;
        until("all clients are gone", gone).await;
        self.traffic.received.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, port: Arc<AtomicU16>, traffic: Arc<Traffic>) {
    let mut clients = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let port = port.load(Ordering::Relaxed);
        let traffic = Arc::clone(&traffic);
        traffic.connected.fetch_add(1, Ordering::SeqCst);
        clients.spawn(async move {
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                // what breaks on one side breaks on the other
                let copied = copy_bidirectional(&mut client, &mut server).await;
                let received = copied.map_or(0, |(_, received)| received);
                traffic.received.fetch_add(received, Ordering::SeqCst);
            }
            traffic.connected.fetch_sub(1, Ordering::SeqCst);
        });
    }
}
