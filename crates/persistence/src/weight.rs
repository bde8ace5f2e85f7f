use std::ops::{Add, AddAssign, Sub};

/// How much some writes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Events; a durable state counts as one.
    pub events: usize,
    /// Bytes of payload and metadata.
    pub bytes: usize,
}

impl Weight {
    /// Nothing.
    pub const ZERO: Self = Self { events: 0, bytes: 0 };

    /// Whether neither part exceeds that of `bounds`.
    #[must_use]
    pub fn is_within(self, bounds: Self) -> bool {
        self.events <= bounds.events && self.bytes <= bounds.bytes
    }
}

impl Add for Weight {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { events: self.events + other.events, bytes: self.bytes + other.bytes }
    }
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Weight {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { events: self.events - other.events, bytes: self.bytes - other.bytes }
    }
}
