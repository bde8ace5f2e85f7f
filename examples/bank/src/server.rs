use crate::{Bank, http};
use actum::ShutdownReport;
use axum::serve::ListenerExt;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};

/// How long requests under way have to finish once the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A bank that serves on a port.
#[derive(Debug)]
pub struct Server {
    bank: Bank,
    address: SocketAddr,
    stopping: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves `bank` to whoever connects to `listener`.
    ///
    /// # Errors
    /// When the system does not say what address the listener has.
    pub fn start(bank: Bank, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|connection| {
            // small answers should not wait for more; if it cannot be had they are only slower
            let _ = connection.set_nodelay(true);
        });
        let (stopping, stop) = oneshot::channel();
        let stop = async {
            let _ = stop.await; // a server that is dropped stops too
        };
        let serve = axum::serve(listener, http::router(bank.clone())).with_graceful_shutdown(stop);
        let serving = tokio::spawn(serve.into_future());
        Ok(Self { bank, address, stopping, serving })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops gracefully: takes no more connections, answers what was asked, then shuts the engine down.
    pub async fn stop(mut self) -> ShutdownReport {
        let _ = self.stopping.send(()); // it may have ended by itself
        if timeout(DRAIN_TIMEOUT, &mut self.serving).await.is_err() {
            tracing::warn!(timeout = ?DRAIN_TIMEOUT, "some requests did not end, leaving them");
            self.serving.abort();
        }
        self.bank.shutdown().await
    }
}
