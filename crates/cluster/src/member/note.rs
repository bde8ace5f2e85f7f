use actum_persistence::store::{Incarnation, Renewal, SeenHolder};
use actum_proto::wire::v1;
use bytes::Bytes;
use prost::Message;

/// What a member notes with each renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemberNote {
    /// Whether it shuts down.
    pub(crate) is_leaving: bool,
    /// Whom it suspects of having failed.
    pub(crate) suspects: Vec<SeenHolder>,
}

/// How many suspects a note names at most: what is kept of it has a bound.
const SUSPECTS_MAX: usize = 100;

impl MemberNote {
    pub(crate) fn to_bytes(&self) -> Bytes {
        let suspects = self.suspects.iter().take(SUSPECTS_MAX).map(|suspect| v1::SuspectedMember {
            incarnation: suspect.incarnation.get(),
            renewal: suspect.renewal.get(),
        });
        let note = v1::MemberNote { is_leaving: self.is_leaving, suspects: suspects.collect() };
        note.encode_to_vec().into()
    }

    /// What a member has noted; nothing where that cannot be read.
    pub(crate) fn of_bytes(bytes: &Bytes) -> Self {
        let note = v1::MemberNote::decode(bytes.clone()).unwrap_or_default();
        let suspects = note.suspects.iter().map(|suspect| SeenHolder {
            incarnation: Incarnation::new(suspect.incarnation),
            renewal: Renewal::new(suspect.renewal),
        });
        Self { is_leaving: note.is_leaving, suspects: suspects.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_persistence::members::NOTE_BYTES_MAX;

    fn suspects(count: u64) -> Vec<SeenHolder> {
        let holder = |nr| SeenHolder {
            incarnation: Incarnation::new(u64::MAX - nr),
            renewal: Renewal::new(i64::MIN),
        };
        (0..count).map(holder).collect()
    }

    #[test]
    fn what_is_noted_comes_back_within_what_is_kept() {
        let note = MemberNote { is_leaving: true, suspects: suspects(1_000) };
        let bytes = note.to_bytes();
        assert!(bytes.len() <= NOTE_BYTES_MAX, "{}", bytes.len());
        let kept = MemberNote { suspects: suspects(SUSPECTS_MAX as u64), ..note };
        assert_eq!(MemberNote::of_bytes(&bytes), kept);
        assert_eq!(MemberNote::of_bytes(&Bytes::new()), MemberNote::default());
    }
}
