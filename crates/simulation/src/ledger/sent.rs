use crate::{APPEND_EVENTS_MAX, Flaw, Order, Wish, digest::digests};
use actum_host::Moment;
use actum_model::Timestamp;

/// Everything that is known of one sending of a command.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) order: Order,
    /// The hash of its command id, as its entity takes it.
    pub(crate) id_hash: Option<u64>,
    /// Which life of the process it was sent to; none for what a foreign writer wrote.
    pub(crate) life: Option<u32>,
    /// What of the entity was acknowledged to a caller before.
    pub(crate) acknowledged_before: u64,
    /// Whether it was taken by its partition.
    pub(crate) reached: bool,
    /// Whether it was taken in a turn that refuses commands.
    pub(crate) refused: bool,
    /// Whether no partition holds it any more.
    pub(crate) released: bool,
    /// The state its handler saw: after which change, and its digest.
    pub(crate) saw: Option<(u64, u64)>,
    /// When that was.
    pub(crate) wall: Timestamp,
    pub(crate) when: Moment,
    /// The digest of the state its reply was computed from.
    pub(crate) concluded: Option<u64>,
    /// How many commands with ids were under way then, itself among them.
    pub(crate) ids_under_way: usize,
    /// The sending whose recorded reply it was given.
    pub(crate) replays: Option<u32>,
    /// Whether its changes are on their way to the journal.
    pub(crate) sent_off: bool,
    /// Whether its entity was notified that its outcome is unknown.
    pub(crate) is_unknown: bool,
    /// Its first and last change in the journal.
    pub(crate) placed: Option<(u64, u64)>,
    /// Whether a caller was answered that it, or a retry of it, was not applied.
    pub(crate) denied: bool,
    pub(crate) end: Option<End>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Answered by the entity, with a reply.
    Replied,
    /// It was certainly not applied, or changes nothing.
    NotApplied,
    /// It may have been applied.
    TimedOut,
    Unknown,
    /// Its process died.
    Lost,
}

impl Sent {
    pub(crate) fn new(
        order: Order,
        id_hash: Option<u64>,
        life: Option<u32>,
        acknowledged_before: u64,
    ) -> Self {
        Self {
            order,
            id_hash,
            life,
            acknowledged_before,
            reached: false,
            refused: false,
            released: false,
            saw: None,
            wall: Timestamp::default(),
            when: Moment::default(),
            concluded: None,
            ids_under_way: 0,
            replays: None,
            sent_off: false,
            is_unknown: false,
            placed: None,
            denied: false,
            end: None,
        }
    }

    /// The digests of the states after each of its changes, if it saw one.
    pub(crate) fn changes(&self, id: u64, by_state: bool) -> Vec<u64> {
        let Some((_, seen)) = self.saw else { return Vec::new() };
        digests(id, seen, self.order.nr, &self.order.plan, by_state)
    }

    /// What its reply says of the state.
    pub(crate) fn reply_digest(&self) -> Option<u64> {
        let seen = self.saw.map(|(_, seen)| seen);
        if self.order.plan.replies_from_state { self.concluded } else { seen }
    }

    /// Whether nothing of it may ever be stored.
    pub(crate) fn is_doomed(&self, by_state: bool) -> bool {
        let plan = &self.order.plan;
        let payload = !(by_state && plan.wish == Wish::Delete);
        let too_many =
            !by_state && matches!(plan.wish, Wish::Write(n) if usize::from(n) > APPEND_EVENTS_MAX);
        too_many
            || match plan.flaw {
                Flaw::None | Flaw::ReplayFails | Flaw::ReplayPanics => false,
                Flaw::HandlerPanics | Flaw::ConcludingPanics => true,
                Flaw::EncodingFails | Flaw::EncodingPanics | Flaw::PayloadTooLarge => payload,
                // a later state of the same write covers it up
                Flaw::StoreRefuses => !by_state,
                Flaw::MetadataTooLarge | Flaw::ApplyPanics => !by_state,
                Flaw::RecordingFails
                | Flaw::RecordingPanics
                | Flaw::FingerprintFails
                | Flaw::FingerprintPanics => self.order.id.is_some(),
            }
    }
}
