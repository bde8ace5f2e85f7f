//! Sockets between nodes.

use socket2::{SockRef, TcpKeepalive};
use std::{io, time::Duration};
use tokio::net::TcpStream;

/// When nothing is heard for this long the system asks the other side whether it is there. Heartbeats are sooner; this is for
/// connections that have no link yet.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Sends what is written at once, and notices a peer that is gone.
pub(super) fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}

/// The host of `host:port`, without the brackets of an IPv6 address.
pub(super) fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn the_host_of_an_address_is_without_its_port() {
        for (address, host) in [
            ("node-1.bank:7400", "node-1.bank"),
            ("10.0.0.7:7400", "10.0.0.7"),
            ("[::1]:7400", "::1"),
            ("node-1", "node-1"),
        ] {
            assert_eq!(host_of(address), host);
        }
    }
}
