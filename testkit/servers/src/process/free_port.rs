use std::{hash::BuildHasher, hash::RandomState, net::TcpListener};

/// Where servers are put. Systems take the ports of outgoing connections from above (Linux from 32768): a server that is
/// down for a while would find its own taken, even by a client that dialled it and was connected to itself.
const FIRST: u64 = 12_000;
const COUNT: u64 = 20_000;

/// How many ports are tried before the system is asked for any.
const ATTEMPTS_MAX: u64 = 100;

/// A port of 127.0.0.1 that was free a moment ago. Another process may be faster: the caller tries again then.
pub(crate) fn free_port() -> std::io::Result<u16> {
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
