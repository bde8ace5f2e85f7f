use actum_model::StoredPayload;
use actum_persistence::store::{
    EntityPage, LanePage, Recovered, Snapshot, StateRecord, StoredEvent,
};
use bytes::Bytes;

/// How something stored comes back wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The bytes of the payload are no encoding of anything.
    Bytes,
    /// The manifest is one that no one knows.
    Manifest,
    /// The schema version is the highest there can be.
    NewerSchema,
    /// The codec is one that no one knows.
    Codec,
    /// What is stored beside the payload is no encoding: the metadata of an event, the remembered commands of a
    /// snapshot or a durable state.
    Metadata,
    /// It is not there: a hole in the events, no snapshot, no record of a durable state.
    Missing,
}

/// No encoding in JSON, CBOR, Protocol Buffers or text.
const GARBAGE: &[u8] = &[0xff; 11];

impl Damage {
    fn of_payload(self, payload: &mut StoredPayload, beside: &mut Bytes) {
        match self {
            Self::Bytes => payload.bytes = Bytes::from_static(GARBAGE),
            Self::Manifest => payload.manifest = "no-such-manifest".into(),
            Self::NewerSchema => payload.schema_version = u32::MAX,
            Self::Codec => payload.codec = "no-such-codec".into(),
            Self::Metadata => *beside = Bytes::from_static(GARBAGE),
            Self::Missing => {}
        }
    }

    fn of_event(self, event: &mut StoredEvent) {
        self.of_payload(&mut event.payload, &mut event.metadata);
    }
}

/// What can be damaged; each says whether there was anything to damage.
pub(super) trait Damageable {
    fn damage_event(&mut self, _: Damage) -> bool {
        false
    }
    fn damage_snapshot(&mut self, _: Damage) -> bool {
        false
    }
    fn damage_state(&mut self, _: Damage) -> bool {
        false
    }
}

impl Damageable for EntityPage {
    fn damage_event(&mut self, damage: Damage) -> bool {
        match (self.events.first_mut(), damage) {
            (None, _) => return false,
            (Some(_), Damage::Missing) => drop(self.events.remove(0)),
            (Some(first), damage) => damage.of_event(first),
        }
        true
    }
}

impl Damageable for LanePage {
    fn damage_event(&mut self, damage: Damage) -> bool {
        match (self.events.first_mut(), damage) {
            (None, _) => return false,
            (Some(_), Damage::Missing) => drop(self.events.remove(0)),
            (Some(first), damage) => damage.of_event(&mut first.event),
        }
        true
    }
}

impl Damageable for Option<Snapshot> {
    fn damage_snapshot(&mut self, damage: Damage) -> bool {
        match (self.as_mut(), damage) {
            (None, _) => return false,
            (Some(_), Damage::Missing) => *self = None,
            (Some(snapshot), damage) => {
                damage.of_payload(&mut snapshot.state, &mut snapshot.recent_commands);
            }
        }
        true
    }
}

impl Damageable for Recovered {
    fn damage_event(&mut self, damage: Damage) -> bool {
        self.page.damage_event(damage)
    }

    /// A missing one was not even asked for: the page that comes with a snapshot begins behind it.
    fn damage_snapshot(&mut self, damage: Damage) -> bool {
        damage == Damage::Missing || self.snapshot.damage_snapshot(damage)
    }
}

impl Damageable for Option<StateRecord> {
    fn damage_state(&mut self, damage: Damage) -> bool {
        let Some(record) = self else { return false };
        match (damage, &mut record.state) {
            (Damage::Missing, _) => *self = None,
            (Damage::Metadata, _) => record.recent_commands = Bytes::from_static(GARBAGE),
            (_, None) => return false,
            (damage, Some(state)) => damage.of_payload(state, &mut record.recent_commands),
        }
        true
    }
}

/// Of many, the first that can be damaged is.
impl<T: Damageable> Damageable for Vec<T> {
    fn damage_event(&mut self, damage: Damage) -> bool {
        self.iter_mut().any(|one| one.damage_event(damage))
    }
    fn damage_snapshot(&mut self, damage: Damage) -> bool {
        self.iter_mut().any(|one| one.damage_snapshot(damage))
    }
    fn damage_state(&mut self, damage: Damage) -> bool {
        self.iter_mut().any(|one| one.damage_state(damage))
    }
}
