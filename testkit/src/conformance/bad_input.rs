//! What no store may take: the same in each, and before anything is done.

use super::{
    StoreFixture,
    reading::{events_of, head, journal},
    refusal::{assert_invalid, assert_invalid_claim},
    sample::{account, accounts, event, payload, timestamp},
    writer::{Writer, claim_of},
};
use actum_model::{Lane, Position, Revision, SequenceNr, StoredPayload};
use actum_persistence::store::{
    CommandRecord, EventFilter, PageLimit, Snapshot, StateChange, Stores, WriterClaim,
    bounds::{
        CODEC_BYTES_MAX, FILTER_NAMES_MAX, HOLDER_BYTES_MAX, MANIFEST_BYTES_MAX,
        METADATA_BYTES_MAX, NUMBER_MAX, PAYLOAD_BYTES_MAX, RECENT_COMMANDS_BYTES_MAX,
        SLOT_BYTES_MAX,
    },
};
use bytes::Bytes;

/// A slot and a holder have names: neither empty, nor longer than is said, nor with NUL; the longest ones are taken and
/// come back whole.
pub async fn a_claim_without_proper_names_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let claim = |slot: &str, holder: &str| {
        let (slot, holder) = (slot.to_owned(), holder.to_owned());
        WriterClaim { slot, holder, ..claim_of("journal") }
    };
    for slot in bad_names(SLOT_BYTES_MAX) {
        assert_invalid_claim(stores.writers.claim(&claim(&slot, "a holder")).await);
    }
    for holder in bad_names(HOLDER_BYTES_MAX) {
        assert_invalid_claim(stores.writers.claim(&claim("journal", &holder)).await);
    }
    let (slot, holder) = ("s".repeat(SLOT_BYTES_MAX), "h".repeat(HOLDER_BYTES_MAX));
    let first = stores.writers.claim(&claim(&slot, &holder)).await.expect("the names are valid");
    let held = stores.writers.claim(&claim(&slot, "a rival")).await.expect_err("it is held");
    assert!(held.to_string().contains(&holder), "{held}");
    stores.writers.claim(&claim("journal", "a holder")).await.expect("nothing was claimed");
    stores.writers.release(first).await.expect("a slot can be released");
}

/// A payload without a codec, a manifest or a schema version is refused wherever it is, and what comes with it; the
/// longest names are stored and come back whole.
pub async fn a_payload_without_proper_names_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for bad in bad_payloads() {
        refused_everywhere(&stores, &writer, &bad).await;
    }
    assert_nothing_is_stored(&stores).await;

    let mut longest = payload("x");
    longest.codec = "c".repeat(CODEC_BYTES_MAX).into();
    longest.manifest = "m".repeat(MANIFEST_BYTES_MAX).into();
    longest.schema_version = u32::MAX;
    let mut stored = event("");
    stored.payload = longest.clone();
    writer.store_one(&account(1), 0, vec![stored]).await.expect("the event is valid");
    let saved = snapshot(1, longest.clone());
    stores.snapshots.save(std::slice::from_ref(&saved)).await.expect("the snapshot is valid");
    let put = writer.change(&account(2), (0, 1), StateChange::Put(longest.clone()));
    writer.store_states(vec![put]).await.expect("the state is valid");
    assert_eq!(events_of(&stores, &account(1)).await[0].payload, longest);
    let loaded = stores.snapshots.load(&account(1), SequenceNr::new(1)).await;
    assert_eq!(loaded.expect("snapshots can be loaded"), Some(saved));
    let loaded = stores.states.load(&[account(2)]).await.expect("states can be loaded").remove(0);
    assert_eq!(loaded.and_then(|record| record.state), Some(longest));
}

/// What is larger than a store takes is refused, be it a payload, metadata or remembered commands.
pub async fn what_is_too_large_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let zeros = |bytes: usize| Bytes::from(vec![0; bytes]);
    let mut large = payload("");
    large.bytes = zeros(PAYLOAD_BYTES_MAX + 1);
    refused_everywhere(&stores, &writer, &large).await;

    let mut noted = event("x");
    noted.metadata = zeros(METADATA_BYTES_MAX + 1);
    assert_invalid(writer.store_one(&account(1), 0, vec![noted]).await);
    for change in [StateChange::Put(payload("x")), StateChange::Delete] {
        let mut write = writer.change(&account(1), (0, 1), change);
        let (revision, record) = (Revision::new(1), zeros(METADATA_BYTES_MAX + 1));
        write.commands = vec![CommandRecord { revision, id_hash: 1, uptime_seconds: 1, record }];
        assert_invalid(writer.store_states(vec![write]).await);
    }
    let mut taken = snapshot(1, payload("x"));
    taken.recent_commands = zeros(RECENT_COMMANDS_BYTES_MAX + 1);
    assert_invalid(stores.snapshots.save(&[taken]).await);
    assert_nothing_is_stored(&stores).await;
}

/// Sequence numbers and revisions count to 2^63 - 1, and snapshots are of events that can be.
pub async fn numbers_that_nothing_can_have_are_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for (expected, count) in
        [(NUMBER_MAX, 1), (NUMBER_MAX - 1, 2), (u64::MAX - 1, 1), (u64::MAX, 1)]
    {
        let events = vec![event("x"); count];
        assert_invalid(writer.store_one(&account(1), expected, events).await);
    }
    for (expected, revision) in [(0, NUMBER_MAX + 1), (NUMBER_MAX, NUMBER_MAX + 1), (3, u64::MAX)] {
        assert_invalid(writer.put(&account(1), (expected, revision), "x").await);
    }
    for nr in [0, NUMBER_MAX + 1, u64::MAX] {
        let bad = snapshot(nr, payload("x"));
        let good = snapshot(1, payload("x"));
        assert_invalid(stores.snapshots.save(&[good, bad]).await);
    }
    assert_nothing_is_stored(&stores).await;
}

/// A filter names kinds and manifests that could be stored, and not too many.
pub async fn a_filter_of_names_that_nothing_has_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let many = vec!["a".to_owned(); FILTER_NAMES_MAX + 1];
    let kinds = bad_names(actum_model::KIND_BYTES_MAX).map(|name| vec!["a".to_owned(), name]);
    let manifests = bad_names(MANIFEST_BYTES_MAX).map(|name| vec!["a".to_owned(), name]);
    let of_kinds = |kinds| EventFilter { kinds, ..EventFilter::default() };
    let of_manifests = |manifests| EventFilter { manifests, ..EventFilter::default() };
    let filters = kinds.map(of_kinds).into_iter().chain(manifests.map(of_manifests));
    for filter in filters.chain([of_kinds(many.clone()), of_manifests(many)]) {
        assert_invalid(read(&stores, &filter).await);
    }
    let most = vec!["a".to_owned(); FILTER_NAMES_MAX];
    let filter = EventFilter { kinds: most.clone(), manifests: most, partitions: None };
    read(&stores, &filter).await.expect("the filter is valid");
}

/// Names that are empty, too long by one, or contain NUL.
fn bad_names(bytes_max: usize) -> [String; 5] {
    let nul = |text: &str| text.to_owned();
    [String::new(), "x".repeat(bytes_max + 1), nul("\0"), nul("a\0"), nul("a\0b")]
}

fn bad_payloads() -> Vec<StoredPayload> {
    let with = |change: &dyn Fn(&mut StoredPayload)| {
        let mut bad = payload("x");
        change(&mut bad);
        bad
    };
    let codecs = bad_names(CODEC_BYTES_MAX);
    let manifests = bad_names(MANIFEST_BYTES_MAX);
    let codecs = codecs.into_iter().map(|name| with(&|bad| bad.codec = name.clone().into()));
    let manifests =
        manifests.into_iter().map(|name| with(&|bad| bad.manifest = name.clone().into()));
    codecs.chain(manifests).chain([with(&|bad| bad.schema_version = 0)]).collect()
}

/// Panics unless `bad` is refused as an event, a state and a snapshot, among good ones.
async fn refused_everywhere(stores: &Stores, writer: &Writer, bad: &StoredPayload) {
    let keys = accounts(3);
    let append = |nr: usize| {
        let mut events = vec![event("x"), event("y"), event("z")];
        if nr == 1 {
            events[1].payload = bad.clone();
        }
        writer.append(&keys[nr], 0, events)
    };
    assert_invalid(writer.store((0..3).map(append).collect()).await);
    assert_invalid(stores.events.resolve(&writer.batch((0..3).map(append).collect())).await);
    let put = |nr: usize| {
        let state = if nr == 1 { bad.clone() } else { payload("x") };
        writer.change(&keys[nr], (0, 1), StateChange::Put(state))
    };
    assert_invalid(writer.store_states((0..3).map(put).collect()).await);
    let saved = [snapshot(1, payload("x")), snapshot(2, bad.clone()), snapshot(3, payload("x"))];
    assert_invalid(stores.snapshots.save(&saved).await);
}

async fn assert_nothing_is_stored(stores: &Stores) {
    assert_eq!(head(stores, Lane::default()).await, Position::ZERO);
    assert_eq!(journal(stores).await, []);
    let states = stores.states.load(&accounts(3)).await.expect("states can be loaded");
    assert_eq!(states, [None, None, None]);
    let newest = stores.snapshots.load(&account(1), SequenceNr::new(u64::MAX)).await;
    assert_eq!(newest.expect("snapshots can be loaded"), None);
}

async fn read(
    stores: &Stores,
    filter: &EventFilter,
) -> Result<(), actum_persistence::store::StoreError> {
    let page =
        stores.events.read_lane(Lane::default(), Position::ZERO, filter, PageLimit::default());
    page.await.map(drop)
}

/// A snapshot of account 1.
fn snapshot(sequence_nr: u64, state: StoredPayload) -> Snapshot {
    Snapshot {
        entity: account(1),
        sequence_nr: SequenceNr::new(sequence_nr),
        timestamp: timestamp(),
        state,
        recent_commands: Bytes::new(),
    }
}
