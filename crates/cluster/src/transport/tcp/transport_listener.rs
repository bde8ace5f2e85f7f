use socket2::SockRef;
use std::{io, net::SocketAddr};
use tokio::net::TcpListener;

/// Where a node listens for its peers. Bound before the node joins its cluster, since the other members read its address when it
/// does.
#[derive(Debug)]
pub struct TransportListener {
    pub(super) listener: TcpListener,
    address: SocketAddr,
}

impl TransportListener {
    /// Listens at `host:port`; port 0 is one that is free.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    ///
    /// # Cancel safety
    /// Cancelling leaves nothing behind.
    pub async fn bind(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Another one of the same socket: what a node listens with in its next life.
    ///
    /// # Errors
    /// When the system has no file descriptor left.
    pub fn try_clone(&self) -> io::Result<Self> {
        let socket = SockRef::from(&self.listener).try_clone()?;
        let listener = TcpListener::from_std(socket.into())?;
        Ok(Self { listener, address: self.address })
    }

    /// The address that is listened at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
