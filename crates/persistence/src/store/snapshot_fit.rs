use super::{
    CoveredEvent, EventStore, Snapshot, StoreError,
    covered_event::{covered_events, unanswered},
};
use std::fmt;

/// Whether a snapshot may be used beside a journal. A snapshot is a hint: one that does not fit is skipped, and an
/// older one or the events are used instead.
///
/// The timestamp of the covered event ties a snapshot to its history. So a snapshot that a restored journal does not
/// reach is not taken for one of the events that later get its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotFit {
    /// It covers the event with its number, or that event was deleted behind it.
    Fits,
    /// The events right behind it were deleted.
    TooOld(CoveredEvent),
    /// The journal ends before the event it covers.
    Ahead(CoveredEvent),
    /// The journal has another event with its number.
    OtherHistory,
    /// Its timestamp is later than that of the event with its number: it may be of an older format, which recorded when
    /// it was taken. It is used only where the events are deleted and nothing else reaches as far.
    Unproven(CoveredEvent),
}

impl Snapshot {
    /// Whether it may be used beside a journal that says `covered` about its event.
    #[must_use]
    pub fn fit(&self, covered: &CoveredEvent) -> SnapshotFit {
        let nr = self.sequence_nr;
        match covered.timestamp {
            _ if nr > covered.head => SnapshotFit::Ahead(*covered),
            _ if nr < covered.floor => SnapshotFit::TooOld(*covered),
            // what cannot be compared: the event was deleted, or is missing, which the reader of events notices
            None => SnapshotFit::Fits,
            Some(stored) if stored == self.timestamp => SnapshotFit::Fits,
            Some(stored) if stored < self.timestamp => SnapshotFit::Unproven(*covered),
            Some(_) => SnapshotFit::OtherHistory,
        }
    }

    /// Whether it may be used beside the journal `events`.
    ///
    /// # Errors
    /// [`StoreError`] when the event it covers cannot be looked up.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn fit_in(&self, events: &dyn EventStore) -> Result<SnapshotFit, StoreError> {
        let covered = covered_events(events, &[self]).await?;
        let covered = covered.first().ok_or_else(unanswered)?;
        Ok(self.fit(covered))
    }
}

impl fmt::Display for SnapshotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fits => f.write_str("it fits the journal"),
            Self::TooOld(CoveredEvent { floor, .. }) => {
                write!(f, "events up to {floor} were deleted")
            }
            Self::Ahead(CoveredEvent { head, .. }) => {
                write!(f, "it is ahead of the journal, which ends at {head}")
            }
            Self::OtherHistory => f.write_str("the journal has another event with its number"),
            Self::Unproven(_) => f.write_str("its timestamp is not that of the event it covers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{EntityKey, SequenceNr, StoredPayload, Timestamp};
    use bytes::Bytes;

    fn fit(nr: u64, (floor, head): (u64, u64), stored: Option<i64>) -> SnapshotFit {
        let snapshot = Snapshot {
            entity: EntityKey::new("account", "a").unwrap(),
            sequence_nr: SequenceNr::new(nr),
            timestamp: Timestamp::from_micros(100),
            state: StoredPayload {
                codec: "utf8".into(),
                manifest: "account".into(),
                schema_version: 1,
                bytes: Bytes::new(),
            },
            recent_commands: Bytes::new(),
        };
        snapshot.fit(&CoveredEvent {
            head: SequenceNr::new(head),
            floor: SequenceNr::new(floor),
            timestamp: stored.map(Timestamp::from_micros),
        })
    }

    #[test]
    fn a_snapshot_fits_the_event_it_covers_and_no_other() {
        assert_eq!(fit(5, (0, 5), Some(100)), SnapshotFit::Fits);
        assert_eq!(fit(5, (0, 9), Some(100)), SnapshotFit::Fits);
        assert_eq!(fit(5, (5, 9), None), SnapshotFit::Fits, "its event was deleted behind it");
        assert_eq!(fit(5, (0, 9), Some(101)), SnapshotFit::OtherHistory);
        assert!(matches!(fit(5, (0, 9), Some(99)), SnapshotFit::Unproven(_)));
        assert!(matches!(fit(5, (0, 4), None), SnapshotFit::Ahead(_)));
        assert!(matches!(fit(5, (0, 0), None), SnapshotFit::Ahead(_)));
        assert!(matches!(fit(5, (6, 9), None), SnapshotFit::TooOld(_)));
    }
}
