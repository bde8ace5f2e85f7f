use super::Dice;

/// What a simulated command does to its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Plan {
    pub(crate) wish: Wish,
    pub(crate) flaw: Flaw,
    /// Whether the reply is computed from the state after the change, instead of the one before.
    pub(crate) replies_from_state: bool,
    /// Whether something runs after the commit.
    pub(crate) acts: bool,
    /// Whether the entity leaves memory then.
    pub(crate) passivates: bool,
}

/// What is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wish {
    Look,
    Reject,
    /// So many events, or one new state; 0 is an empty list of events.
    Write(u8),
    /// Only a durable state; for others the same as `Write(1)`.
    Delete,
}

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Flaw {
    None = 0,
    HandlerPanics = 1,
    /// The last event cannot be encoded.
    EncodingFails = 2,
    EncodingPanics = 3,
    /// The last event is larger than a payload may be.
    PayloadTooLarge = 4,
    MetadataTooLarge = 5,
    /// Taking the last event into the state panics; a durable state knows no such thing.
    ApplyPanics = 6,
    ConcludingPanics = 7,
    /// The reply cannot be recorded; only a command with an id has it recorded.
    RecordingFails = 8,
    RecordingPanics = 9,
    /// The recorded reply cannot be read back.
    ReplayFails = 10,
    ReplayPanics = 11,
    /// The store calls a batch invalid that holds the last event.
    StoreRefuses = 12,
    /// The command has no encoding to take a fingerprint of; only one with an id needs it.
    FingerprintFails = 13,
    FingerprintPanics = 14,
}

const FLAWS: [Flaw; 14] = [
    Flaw::HandlerPanics,
    Flaw::EncodingFails,
    Flaw::EncodingPanics,
    Flaw::PayloadTooLarge,
    Flaw::MetadataTooLarge,
    Flaw::ApplyPanics,
    Flaw::ConcludingPanics,
    Flaw::RecordingFails,
    Flaw::RecordingPanics,
    Flaw::ReplayFails,
    Flaw::ReplayPanics,
    Flaw::StoreRefuses,
    Flaw::FingerprintFails,
    Flaw::FingerprintPanics,
];

/// The largest number of events one command may store in the simulation; plans ask for more now and then.
pub(crate) const APPEND_EVENTS_MAX: usize = 4;

impl Plan {
    /// Looks at the state.
    pub(crate) const LOOK: Self = Self {
        wish: Wish::Look,
        flaw: Flaw::None,
        replies_from_state: true,
        acts: false,
        passivates: false,
    };

    /// Stores so many events, or one new state.
    pub(crate) fn write(events: u8) -> Self {
        Self { wish: Wish::Write(events), ..Self::LOOK }
    }

    /// Any plan.
    pub(crate) fn any(dice: &mut Dice, flawed_per_mille: u64) -> Self {
        let wish = match dice.weighted(&[28, 6, 3, 40, 14, 5, 3, 1]) {
            0 => Wish::Look,
            1 => Wish::Reject,
            2 => Wish::Delete,
            3 => Wish::Write(1),
            4 => Wish::Write(2),
            5 => Wish::Write(3),
            6 => Wish::Write(0),
            _ => Wish::Write(APPEND_EVENTS_MAX as u8 + 1),
        };
        let flaw =
            if dice.chance(flawed_per_mille) { FLAWS[dice.place(FLAWS.len())] } else { Flaw::None };
        Self {
            wish,
            flaw,
            replies_from_state: dice.chance(600),
            acts: dice.chance(250),
            passivates: dice.chance(40),
        }
    }

    /// Whether an entity's own code panics somewhere on the way.
    pub(crate) fn panics(&self) -> bool {
        matches!(
            self.flaw,
            Flaw::HandlerPanics
                | Flaw::EncodingPanics
                | Flaw::ApplyPanics
                | Flaw::ConcludingPanics
                | Flaw::RecordingPanics
                | Flaw::ReplayPanics
                | Flaw::FingerprintPanics
        )
    }

    /// Whether the command may be refused as invalid for its own sake.
    pub(crate) fn is_invalid(&self) -> bool {
        let too_many = matches!(self.wish, Wish::Write(n) if usize::from(n) > APPEND_EVENTS_MAX);
        too_many
            || matches!(
                self.flaw,
                Flaw::EncodingFails
                    | Flaw::PayloadTooLarge
                    | Flaw::MetadataTooLarge
                    | Flaw::RecordingFails
                    | Flaw::StoreRefuses
            )
    }
}
