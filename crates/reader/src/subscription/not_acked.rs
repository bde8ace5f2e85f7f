/// Why an event cannot be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAcked {
    /// The consumer does not have it in flight.
    NotInFlight,
    /// The subscription was lost meanwhile.
    Lost,
}
