use std::{hash::BuildHasher, hash::RandomState, net::TcpListener};

use crate::ServerError;

/// Where servers are put. Systems take the ports of outgoing connections from above (Linux from 32768): a server that is
/// down for a while would find its own taken, even by a client that dialled it and was connected to itself.
const FIRST: u64 = 12_000;
const COUNT: u64 = 20_000;

/// How many ports are tried before the system is asked for any.
const ATTEMPTS_MAX: u64 = 100;

/// How many ports a server tries when others are faster to take them.
const PORTS_MAX: usize = 10;

/// Starts a server on a free port: on another one as long as it ends with a log that says `taken`, since another process was
/// faster.
pub(crate) fn on_free_port<T>(
    taken: &str,
    mut start: impl FnMut(u16) -> Result<T, ServerError>,
) -> Result<T, ServerError> {
    let mut attempt = 1;
    loop {
        let port = free_port().map_err(ServerError::io("looking for a free port"))?;
        match start(port) {
            Err(ServerError::Ended { log, .. }) if attempt < PORTS_MAX && log.contains(taken) => {
                attempt += 1;
            }
            started => return started,
        }
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    let random = RandomState::new();
    for attempt in 0..ATTEMPTS_MAX {
        let port = FIRST + random.hash_one(attempt) % COUNT;
        let port = u16::try_from(port).expect("the last port of the range is below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
