use crate::Dice;

/// How often something goes wrong for those who read, of a thousand times.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReaderFaults {
    /// An event cannot be handled, until someone mends the handler.
    pub(super) poison: u64,
    /// An event cannot be handled this time.
    pub(super) fails_once: u64,
    /// The target is away.
    pub(super) away: u64,
    pub(super) page_fails: u64,
    pub(super) save_fails: u64,
    pub(super) save_unknown: u64,
    /// What is kept cannot be reached in a round.
    pub(super) round_fails: u64,
    pub(super) announcement_lost: u64,
    // how likely each mishap is
    pub(super) crash: u64,
    pub(super) freeze: u64,
    pub(super) leave: u64,
    pub(super) rewind: u64,
    pub(super) pause: u64,
    pub(super) divide: u64,
}

impl ReaderFaults {
    /// Each on or off, so that one does not always hide behind another.
    pub(super) fn any(dice: &mut Dice) -> Self {
        let mut rate = |max: u64| if dice.chance(600) { dice.between(1, max) } else { 0 };
        Self {
            poison: rate(150),
            fails_once: rate(100),
            away: rate(150),
            page_fails: rate(150),
            save_fails: rate(150),
            save_unknown: rate(150),
            round_fails: rate(200),
            announcement_lost: rate(1_000),
            crash: rate(100),
            freeze: rate(200),
            leave: rate(60),
            rewind: rate(12),
            pause: rate(12),
            divide: rate(60),
        }
    }
}
