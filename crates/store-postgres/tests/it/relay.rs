use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
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
    serving: JoinHandle<()>,
}

impl Relay {
    /// Starts one in front of a port of this machine.
    pub(crate) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = Arc::new(AtomicU16::new(port));
        let serving = tokio::spawn(serve(listener, Arc::clone(&port)));
        Self { address, port, serving }
    }

    /// Leads new clients to another port.
    pub(crate) fn turn_to(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, port: Arc<AtomicU16>) {
    let mut clients = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let port = port.load(Ordering::Relaxed);
        clients.spawn(async move {
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                // what breaks on one side breaks on the other
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
