use crate::LeaveReason;

/// Whether a cell stays in memory after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Life {
    Stays,
    Gone(LeaveReason),
}
