use super::consumer_seat::{ConsumerNr, HandoutTurn};
use std::{collections::BTreeSet, time::Duration};

/// The unsettled events of one key.
#[derive(Debug, Default)]
pub(super) struct KeyQueue {
    /// Those that wait, in order.
    pub(super) waiting: BTreeSet<u64>,
    pub(super) in_flight: usize,
    /// Who has them in flight.
    pub(super) owner: Option<ConsumerNr>,
    /// Where the first that waits is listed.
    pub(super) listed: Option<Listed>,
}

/// Where the first waiting event of a key is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// Any consumer may get it.
    Free(HandoutTurn),
    /// This one only.
    Own(ConsumerNr, HandoutTurn),
    /// No one, until then.
    Delayed(Duration, u64),
}
