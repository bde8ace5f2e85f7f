/// What an engine does with a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartitionState {
    /// It is not open here: its commands go elsewhere, or are refused.
    Closed,
    /// It is open.
    Open,
    /// It has failed and is being restarted, or waits for writes of its former life to be settled; its commands wait.
    Restarting,
    /// It finishes what it has taken, and takes nothing more.
    Closing,
}

impl PartitionState {
    const ALL: [Self; 4] = [Self::Closed, Self::Open, Self::Restarting, Self::Closing];

    pub(super) fn as_u8(self) -> u8 {
        self as u8
    }

    pub(super) fn of_u8(nr: u8) -> Self {
        Self::ALL[usize::from(nr)]
    }
}
