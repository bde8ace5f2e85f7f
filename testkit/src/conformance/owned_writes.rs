//! Which writes of a member are stored: those to partitions that it owns. Where nodes cannot share the journal, a case has
//! nothing to check.

use super::{
    StoreFixture, Writer,
    node::{Node, plain},
    reading::{events_of, head, head_of},
    refusal::{assert_fenced, assert_invalid, until_available},
    sample::{account, accounts, entity, events, payload},
};
use actum_model::{EntityKey, Lane, Partition, SequenceNr};
use actum_persistence::{
    members::{OwnerClaim, RolePartition},
    progress::Epoch,
    store::{
        AppendOutcome::{self, Appended, Conflict, NotOwned},
        Resolution, StateChange, StateOutcome, Stores,
    },
};

/// A member stores events and states of the partitions it owns, in the role it owns them in, one by one and many at once.
pub async fn a_member_writes_what_it_owns(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    for (nr, role) in ["", "billing"].into_iter().enumerate() {
        let writer = node.writer(&stores).owning(role);
        let keys: Vec<_> = (0..40).map(|at| account(100 * nr + at)).collect();
        node.own(&stores, role, &keys).await;
        let appends = keys.iter().map(|key| writer.append(key, 0, events(2))).collect();
        let outcomes = writer.store(appends).await.expect("the store accepts the batch");
        assert!(outcomes.iter().all(is_stored), "{outcomes:?}");
        for expected in 2..6 {
            writer.write(&keys[0], expected, 1).await;
        }
        let put = |key| writer.change(key, (0, 1), StateChange::Put(payload("a")));
        let outcomes = writer.store_states(keys.iter().map(put).collect()).await;
        assert_eq!(outcomes.expect("the store accepts it"), vec![StateOutcome::Written; 40]);
        let outcome = writer.put(&keys[0], (1, 2), "b").await;
        assert_eq!(outcome.expect("the store accepts it"), StateOutcome::Written);
    }
}

/// A write to a partition that its writer does not own is refused, also where another member owns it or the writer does in
/// another role; whatever else is in the batch is stored, and is refused for reasons of its own.
pub async fn a_write_to_what_is_not_owned_is_refused_alone(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    let [own, foreign, free, own_in_role] = apart(&stores);
    node.own(&stores, "", std::slice::from_ref(&own)).await;
    node.own(&stores, "billing", std::slice::from_ref(&own_in_role)).await;
    other.own(&stores, "", std::slice::from_ref(&foreign)).await;
    let writer = node.writer(&stores).owning("");
    let behind = sibling(&stores, &own);
    let stream = entity("audit", "a");
    let mut appends: Vec<_> = [&foreign, &own, &free, &own_in_role, &behind]
        .map(|key| writer.append(key, 0, events(2)))
        .into();
    appends[4].expected = SequenceNr::new(7);
    let mut unowned = writer.append(&stream, 0, events(1));
    unowned.owned_as = None;
    appends.push(unowned);
    let outcomes = writer.store(appends).await.expect("the store accepts the batch");
    let [NotOwned, Appended { last }, NotOwned, NotOwned, conflict, Appended { last: end }] =
        outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(conflict, Conflict { actual: SequenceNr::ZERO });
    assert_eq!((last.get(), end.get()), (2, 3), "what is refused takes no position");
    assert_eq!(head(&stores, Lane::default()).await, end);
    for key in [&foreign, &free, &own_in_role] {
        assert_eq!(head_of(&stores, key).await, 0, "{key}");
    }
    let put = |key| writer.change(key, (0, 1), StateChange::Put(payload("a")));
    let mut writes: Vec<_> = [&foreign, &own, &free, &own_in_role, &stream].map(put).into();
    writes[4].owned_as = None;
    let outcomes = writer.store_states(writes).await.expect("the store accepts the batch");
    let (none, written) = (StateOutcome::NotOwned, StateOutcome::Written);
    assert_eq!(outcomes, [none, written, none, none, written]);
    let loaded = stores.states.load(&[foreign, own, free, own_in_role, stream]).await;
    let there: Vec<_> = loaded.expect("states load").iter().map(Option::is_some).collect();
    assert_eq!(there, [false, true, false, false, true]);
}

/// It is refused wherever its entity is: another owner may have moved it on.
pub async fn what_is_not_owned_is_refused_wherever_it_is(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    let key = account(1);
    other.own(&stores, "", std::slice::from_ref(&key)).await;
    let owner = other.writer(&stores).owning("");
    owner.write(&key, 0, 3).await;
    assert!(owner.put(&key, (0, 1), "a").await.is_ok());
    let writer = node.writer(&stores).owning("");
    for expected in [0, 3, 9] {
        let outcome = writer.store_one(&key, expected, events(1)).await;
        assert_eq!(outcome.expect("the store accepts the batch"), NotOwned, "{expected}");
        let outcome = writer.put(&key, (expected, expected + 1), "b").await;
        assert_eq!(outcome.expect("the store accepts the batch"), StateOutcome::NotOwned);
    }
    owner.write(&key, 3, 1).await;
}

/// Behind a release the former owner writes nothing, and behind the claim of another one that one does, until it comes back;
/// also where both go through handles that have not claimed it.
pub async fn a_partition_is_written_by_its_owner_of_the_moment(fixture: &dyn StoreFixture) {
    let (stores, elsewhere) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::joined(&elsewhere, "a").await else { return };
    let other = Node::joined(&elsewhere, "b").await.expect("two can share it");
    let key = account(1);
    let writers = [&node, &other].map(|node| node.writer(&stores).owning(""));
    let mut head = 0;
    for round in 0..6 {
        let (owner, rival) = (round % 2, (round + 1) % 2);
        let owning = [&node, &other][owner];
        for writer in &writers {
            let outcome = writer.store_one(&key, head, events(1)).await;
            assert_eq!(outcome.expect("no one owns it"), NotOwned, "round {round}");
        }
        owning.own(&stores, "", std::slice::from_ref(&key)).await;
        for _ in 0..3 {
            writers[owner].write(&key, head, 1).await;
            head += 1;
            let outcome = writers[rival].store_one(&key, head, events(1)).await;
            assert_eq!(outcome.expect("another owns it"), NotOwned, "round {round}");
        }
        let revision = round as u64;
        // the last append is the owner's, so that what the store remembers is about that one
        writers[owner].write(&key, head, 1).await;
        head += 1;
        for (writer, expected) in [(rival, StateOutcome::NotOwned), (owner, StateOutcome::Written)]
        {
            let outcome = writers[writer].put(&key, (revision, revision + 1), "a").await;
            assert_eq!(outcome.expect("the store accepts it"), expected, "round {round}");
        }
        owning.release(&[partition_of(&stores, &key)]).await;
        let outcome = writers[owner].store_one(&key, head, events(1)).await;
        assert_eq!(outcome.expect("it was released"), NotOwned, "round {round}");
        let outcome = writers[owner].put(&key, (revision + 1, revision + 2), "a").await;
        assert_eq!(outcome.expect("the store accepts it"), StateOutcome::NotOwned);
    }
    assert_eq!(events_of(&stores, &key).await.len() as u64, head);
}

/// What was refused leaves nothing behind: when its writer owns the partition it is as if it had not been tried.
pub async fn what_was_refused_is_stored_once_it_is_owned(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let (key, writer) = (account(1), node.writer(&stores).owning(""));
    let batch = writer.batch(vec![writer.append(&key, 0, events(2))]);
    let states = writer.state_batch(vec![writer.change(&key, (0, 1), StateChange::Delete)]);
    assert_eq!(stores.events.append(&batch).await.expect("it is taken"), [NotOwned]);
    let outcomes = stores.states.write(&states).await.expect("it is taken");
    assert_eq!(outcomes, [StateOutcome::NotOwned]);
    let found = stores.events.resolve(&batch).await.expect("it can be settled");
    assert_eq!(found, [Resolution::NotStored]);
    let found = stores.states.resolve(&states).await.expect("it can be settled");
    assert_eq!(found, [Resolution::NotStored]);
    let listed = stores.events.has_events_of("account").await.expect("it can be read");
    assert!(!listed && !stores.states.has_states_of("account").await.expect("it can be read"));
    node.own(&stores, "", std::slice::from_ref(&key)).await;
    assert!(is_stored(&stores.events.append(&batch).await.expect("it is taken")[0]));
    let outcomes = stores.states.write(&states).await.expect("it is taken");
    assert_eq!(outcomes, [StateOutcome::Written]);
}

/// Who names no role is not asked for owners: streams, and an engine that has the journal for itself.
pub async fn a_write_that_names_no_role_has_no_owner(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let alone = Writer::claim(&stores).await;
    alone.write(&account(1), 0, 2).await;
    alone.write(&account(1), 2, 1).await;
    assert!(alone.put(&account(1), (0, 1), "a").await.is_ok());
    let owning = Writer::of(&stores, alone.incarnation).owning("");
    if stores.members.is_some() {
        let outcome = owning.store_one(&account(1), 3, events(1)).await;
        assert_eq!(outcome.expect("the store accepts the batch"), NotOwned, "it owns nothing");
    }
    stores.writers.release(alone.incarnation).await.expect("a slot can be released");
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let streams = node.writer(&stores);
    for expected in 0..3 {
        streams.write(&entity("audit", "a"), expected, 1).await;
    }
    assert!(streams.put(&account(2), (0, 1), "a").await.is_ok());
}

/// A member that was revoked is fenced: it does not hear that it owns nothing.
pub async fn a_revoked_member_is_fenced_whatever_it_owned(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(observer) = Node::joined(&stores, "observer").await else { return };
    for (nr, how) in ["revoked", "left"].into_iter().enumerate() {
        let node = Node::joined(&stores, how).await.expect("many can share it");
        let (key, writer) = (account(nr), node.writer(&stores).owning(""));
        node.own(&stores, "", std::slice::from_ref(&key)).await;
        writer.write(&key, 0, 1).await;
        if how == "left" {
            node.members.leave(node.incarnation).await.expect("it can leave");
        } else {
            let by = observer.incarnation;
            let revoked = observer.members.revoke_member(by, node.seen().await).await;
            assert!(revoked.expect("a member can revoke another"));
        }
        assert_fenced(writer.store_one(&key, 1, events(1)).await, node.incarnation);
        assert_fenced(writer.put(&key, (0, 1), "a").await, node.incarnation);
        let foreign = account(50 + nr);
        assert_fenced(writer.store_one(&foreign, 0, events(1)).await, node.incarnation);
    }
}

/// Of the largest batches, too, what is owned is stored and nothing else.
pub async fn of_a_large_batch_what_is_owned_is_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let partitions = stores.events.layout().partitions;
    let owns = |key: &EntityKey| !key.partition(partitions).nr().is_multiple_of(3);
    let keys = accounts(1_500);
    let owned: Vec<_> = keys.iter().filter(|key| owns(key)).cloned().collect();
    node.own(&stores, "", &owned).await;
    let writer = node.writer(&stores).owning("");
    let count = |nr: usize| 1 + nr % 9;
    let appends = keys.iter().enumerate().map(|(nr, key)| writer.append(key, 0, events(count(nr))));
    let outcomes = writer.store(appends.collect()).await.expect("the store accepts the batch");
    let mut stored = 0;
    for ((nr, key), outcome) in keys.iter().enumerate().zip(&outcomes) {
        assert_eq!(is_stored(outcome), owns(key), "{key}: {outcome:?}");
        stored += if owns(key) { count(nr) as u64 } else { 0 };
    }
    assert_eq!(head(&stores, Lane::default()).await.get(), stored);
    let put = |key| writer.change(key, (0, 1), StateChange::Put(payload(&"a".repeat(9_000))));
    let outcomes = writer.store_states(keys.iter().map(put).collect()).await;
    for (key, outcome) in keys.iter().zip(outcomes.expect("the store accepts the batch")) {
        assert_eq!(outcome == StateOutcome::Written, owns(key), "{key}: {outcome:?}");
    }
}

/// A role that no one can own anything in makes a batch invalid.
pub async fn a_write_in_what_is_no_role_is_invalid(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for role in ["a\0b".to_owned(), "r".repeat(65)] {
        let writer = Writer::of(&stores, writer.incarnation).owning(&role);
        assert_invalid(writer.store_one(&account(1), 0, events(1)).await);
        assert_invalid(writer.put(&account(1), (0, 1), "a").await);
    }
}

impl Node {
    /// Writes as this node, through `stores`.
    pub(super) fn writer(&self, stores: &Stores) -> Writer {
        Writer::of(stores, self.incarnation)
    }

    /// Owns the partitions of these entities from now on, in a role.
    pub(super) async fn own(&self, stores: &Stores, role: &str, keys: &[EntityKey]) {
        let mut wanted: Vec<Partition> =
            keys.iter().map(|key| partition_of(stores, key).partition).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let owners = self.sight().await.owners.expect("all are wanted");
        let of = |partition| RolePartition { role: role.into(), partition };
        let seen = |of: &RolePartition| {
            let row = owners.iter().find(|row| row.of == *of);
            row.map_or(Epoch::default(), |row| row.epoch)
        };
        let claims = wanted.into_iter().map(of).map(|of| OwnerClaim { seen: seen(&of), of });
        let claims: Vec<_> = claims.collect();
        let rows = until_available!(self.members.claim_partitions(self.incarnation, &claims));
        let rows = rows.expect("a member can claim");
        assert!(rows.iter().all(|row| row.owner == Some(self.incarnation)), "{rows:?}");
    }

    /// Gives partitions back.
    pub(super) async fn release(&self, partitions: &[RolePartition]) {
        let rows = until_available!(self.members.release_partitions(self.incarnation, partitions));
        assert!(rows.expect("an owner can release").iter().all(|row| row.owner.is_none()));
    }
}

/// The partition of an entity, for kinds without a role.
pub(super) fn partition_of(stores: &Stores, key: &EntityKey) -> RolePartition {
    plain(key.partition(stores.events.layout().partitions).nr())
}

/// Entities of four partitions.
fn apart(stores: &Stores) -> [EntityKey; 4] {
    let mut found: Vec<EntityKey> = Vec::new();
    for key in (0..).map(account) {
        let of = |key: &EntityKey| partition_of(stores, key);
        if found.iter().all(|other| of(other) != of(&key)) {
            found.push(key);
        }
        if let Ok(apart) = <[EntityKey; 4]>::try_from(found.clone()) {
            return apart;
        }
    }
    unreachable!("there are accounts without end")
}

/// Another entity of the same partition.
fn sibling(stores: &Stores, key: &EntityKey) -> EntityKey {
    let mut others = (1_000..).map(account);
    let found = others.find(|other| partition_of(stores, other) == partition_of(stores, key));
    found.expect("there are accounts without end")
}

fn is_stored(outcome: &AppendOutcome) -> bool {
    matches!(outcome, Appended { .. })
}
