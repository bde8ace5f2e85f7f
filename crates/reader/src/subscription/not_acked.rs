/// Why an event cannot be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAcked {
    /// The consumer does not have it in flight.
    NotInFlight,
    /// It was in flight for too long, so that it is delivered again.
    TimedOut,
    /// The subscription was lost meanwhile.
    Lost,
}
