/// What a link to a peer has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkReport {
    /// Something of the peer has arrived: it is connected, or a heartbeat came.
    Heard,
    /// Its host has refused a connection: no process listens there. Reported each time that is tried.
    Refused,
    /// Nothing has arrived for as long as heartbeats may take, or a connection is not answered. Also when it is not known
    /// which.
    Silent,
}
