//! Who belongs to a cluster. Where nodes cannot share the journal, a case has nothing to check.

use super::{
    StoreFixture,
    node::{Node, terms},
    refusal::assert_fenced,
    sample::{account, events},
    writer::{LONG_LEASE, Writer, claim_of},
};
use actum_persistence::{
    members::{
        CLUSTER_NAME_BYTES_MAX, ClusterTerms, DESCRIPTION_BYTES_MAX, JoinError, MemberRenewal,
        NOTE_BYTES_MAX, NewMember, TableVersion, node_slot,
    },
    store::StoreError,
};
use bytes::Bytes;
use std::time::Duration;

/// Before the first member there is nothing, and the first one sees itself alone.
pub async fn the_first_member_makes_the_cluster(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::claim(&stores, "a").await else { return };
    let before = node.members.read_members(TableVersion::ZERO).await.expect("it can be read");
    assert_eq!(before, None);
    let sight = node.join(&terms()).await.expect("a node can join");
    assert!(sight.version > TableVersion::ZERO);
    assert_eq!(sight.terms, terms());
    assert_eq!(sight.owners, Some(vec![]));
    let [row] = &sight.members[..] else { panic!("{sight:?}") };
    assert_eq!((row.incarnation, &row.name), (node.incarnation, &node.name));
    assert_eq!((&row.description, &row.note), (&node.new_member().description, &Bytes::new()));
}

/// All members are seen through every handle, in the order of their incarnations, also when the journal is opened again.
pub async fn members_see_each_other(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(first) = Node::joined(&stores, "z").await else { return };
    let second = Node::joined(&other, "a").await.expect("two can share it");
    let sight = first.sight().await;
    let names: Vec<_> = sight.members.iter().map(|row| &*row.name).collect();
    assert_eq!(names, ["z", "a"]);
    assert_eq!(second.sight().await, sight);
    let third = fixture.open().await;
    let read = third.members.as_ref().expect("it is the same journal");
    assert_eq!(read.read_members(TableVersion::ZERO).await.expect("it can be read"), Some(sight));
}

/// What members agree on is not changed by one that joins; when all have left it can be.
pub async fn a_node_with_other_terms_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(first) = Node::joined(&stores, "a").await else { return };
    let second = Node::claim(&stores, "b").await.expect("two can share it");
    let version = first.sight().await.version;
    let others = [
        ClusterTerms { cluster: "shop".to_owned(), ..terms() },
        ClusterTerms { lease: LONG_LEASE / 2, ..terms() },
    ];
    for ours in &others {
        match second.join(ours).await {
            Err(JoinError::Disagrees { ours: said, theirs }) => {
                assert_eq!((&said, theirs), (ours, terms()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(first.sight().await.version, version, "nothing was changed");
    first.members.leave(first.incarnation).await.expect("it can leave");
    let sight = second.join(&others[0]).await.expect("no one is there who disagrees");
    assert_eq!(sight.terms, others[0]);
    assert!(sight.version > version);
}

/// Only the holder of the slot of its name can join.
pub async fn only_the_holder_of_its_slot_joins(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::claim(&stores, "a").await else { return };
    let fenced = |joined: Result<_, JoinError>| match joined {
        Err(JoinError::Store(StoreError::Fenced { incarnation })) => incarnation,
        other => panic!("{other:?}"),
    };
    let named = NewMember { name: "b".to_owned(), ..node.new_member() };
    let joined = node.members.join(&terms(), &named).await;
    assert_eq!(fenced(joined), node.incarnation, "that is the slot of another node");
    stores.writers.revoke(node.incarnation).await.expect("a writer can be revoked");
    assert_eq!(fenced(node.join(&terms()).await), node.incarnation);
    let read = node.members.read_members(TableVersion::ZERO).await.expect("it can be read");
    assert!(read.is_none_or(|sight| sight.members.is_empty()));
}

/// One that joins again is one member, with what it says of itself now.
pub async fn a_member_that_joins_again_is_one_member(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    node.claim_first(0..2).await;
    let described = NewMember { description: Bytes::from_static(b"moved"), ..node.new_member() };
    let sight = node.members.join(&terms(), &described).await.expect("a node can join");
    let [row] = &sight.members[..] else { panic!("{sight:?}") };
    assert_eq!(row.description, described.description);
    let owners = sight.owners.expect("the version is another one");
    assert!(owners.iter().all(|row| row.owner == Some(node.incarnation)), "it keeps what it owns");
}

/// A renewal is seen by the others, with what it notes; the version stays, since nothing else has changed.
pub async fn a_renewal_is_seen_with_its_note(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    let mut marks = vec![node.row().await.renewal];
    let version = node.sight().await.version;
    for note in ["leaving", "", "suspects b"] {
        let sight = node.renew(note).await.expect("a member can renew");
        assert_eq!(sight, other.sight().await);
        assert_eq!(sight.version, version);
        let row = node.row().await;
        assert_eq!(row.note, note.as_bytes());
        assert!(!marks.contains(&row.renewal), "it is another renewal");
        marks.push(row.renewal);
    }
    assert_eq!(other.row().await.note, Bytes::new());
}

/// Owners are returned to those who have not seen the version they belong to.
pub async fn owners_that_were_seen_are_not_returned_again(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let version = node.sight().await.version;
    let sight = node.renew_behind("", version).await.expect("a member can renew");
    assert_eq!((sight.version, sight.owners), (version, None));
    node.claim_first(0..3).await;
    let sight = node.renew_behind("", version).await.expect("a member can renew");
    assert!(sight.version > version);
    assert_eq!(sight.owners.map(|owners| owners.len()), Some(3));
    let read = node.members.read_members(sight.version).await.expect("it can be read");
    assert_eq!(read.expect("it is there").owners, None);
}

/// One that leaves gives its slot back, and is no member any more; leaving twice is no error.
pub async fn one_that_leaves_is_fenced_and_its_slot_is_free(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    let version = other.sight().await.version;
    for _ in 0..2 {
        node.members.leave(node.incarnation).await.expect("it can leave");
        assert!(!node.is_member().await);
    }
    let sight = other.sight().await;
    assert!(sight.version > version);
    assert_eq!(sight.members.len(), 1);
    assert_fenced(node.renew("").await, node.incarnation);
    let writer = Writer::of(&stores, node.incarnation);
    assert_fenced(writer.store_one(&account(1), 0, events(1)).await, node.incarnation);
    let again = Node::joined(&stores, "a").await.expect("its slot is free");
    assert!(again.incarnation > node.incarnation);
}

/// Whoever ends an incarnation ends its membership.
pub async fn an_incarnation_that_is_revoked_is_no_member(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(observer) = Node::joined(&stores, "observer").await else { return };
    for how in ["released", "revoked", "replaced"] {
        let node = Node::joined(&stores, how).await.expect("many can share it");
        let version = observer.sight().await.version;
        let ended = match how {
            "released" => stores.writers.release(node.incarnation).await,
            "revoked" => stores.writers.revoke(node.incarnation).await,
            _ => {
                let mut claim = claim_of(&node_slot(how));
                let held = stores.writers.claim(&claim).await.expect_err("it is held");
                claim.replaces = held.seen();
                if claim.replaces.is_none() {
                    continue; // the store sees that the holder lives
                }
                stores.writers.claim(&claim).await.map(drop).map_err(|error| panic!("{error}"))
            }
        };
        ended.expect("an incarnation can be ended");
        assert!(!node.is_member().await, "{how}");
        assert!(observer.sight().await.version > version, "{how}");
        assert_fenced(node.renew("").await, node.incarnation);
    }
    assert!(observer.is_member().await);
}

/// A member that has not renewed since it was seen can be revoked by another, which fences it.
pub async fn a_member_that_does_not_renew_can_be_revoked(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let observer = Node::joined(&other, "b").await.expect("two can share it");
    let seen = node.seen().await;
    let revoked = observer.members.revoke_member(observer.incarnation, seen).await;
    assert!(revoked.expect("a member can revoke another"));
    assert!(!node.is_member().await && observer.is_member().await);
    assert_fenced(node.renew("").await, node.incarnation);
    let writer = Writer::of(&stores, node.incarnation);
    assert_fenced(writer.store_one(&account(1), 0, events(1)).await, node.incarnation);
    let again = observer.members.revoke_member(observer.incarnation, seen).await;
    assert!(!again.expect("it is no member any more"));
    Node::joined(&stores, "a").await.expect("its slot is free");
}

/// One that has renewed since it was seen stays.
pub async fn a_member_that_has_renewed_stays(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let observer = Node::joined(&stores, "b").await.expect("two can share it");
    let seen = node.seen().await;
    node.renew("").await.expect("a member can renew");
    let version = observer.sight().await.version;
    let revoked = observer.members.revoke_member(observer.incarnation, seen).await;
    assert!(!revoked.expect("a member can ask for it"));
    assert!(node.is_member().await);
    assert_eq!(observer.sight().await.version, version);
    node.renew("").await.expect("it is a member");
}

/// Who is no member revokes no one, and no one revokes itself.
pub async fn only_another_member_revokes(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let stranger = Node::claim(&stores, "b").await.expect("two can share it");
    let seen = node.seen().await;
    let by = stranger.incarnation;
    assert_fenced(node.members.revoke_member(by, seen).await, by);
    let itself = node.members.revoke_member(node.incarnation, seen).await;
    assert!(matches!(itself, Err(StoreError::Invalid { .. })), "{itself:?}");
    node.renew("").await.expect("it is a member");
}

/// Arguments that no store takes are refused, and change nothing.
pub async fn what_no_member_can_say_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let version = node.sight().await.version;
    let long = "n".repeat(CLUSTER_NAME_BYTES_MAX + 1);
    for terms in [
        ClusterTerms { cluster: String::new(), ..terms() },
        ClusterTerms { cluster: long, ..terms() },
        ClusterTerms { lease: Duration::ZERO, ..terms() },
    ] {
        let joined = node.join(&terms).await;
        assert!(matches!(joined, Err(JoinError::Store(StoreError::Invalid { .. }))), "{joined:?}");
    }
    let large = Bytes::from(vec![0; DESCRIPTION_BYTES_MAX + 1]);
    let member = NewMember { description: large, ..node.new_member() };
    let joined = node.members.join(&terms(), &member).await;
    assert!(matches!(joined, Err(JoinError::Store(StoreError::Invalid { .. }))), "{joined:?}");
    let note = Bytes::from(vec![0; NOTE_BYTES_MAX + 1]);
    let (incarnation, seen) = (node.incarnation, TableVersion::ZERO);
    let renewed = node.members.renew_member(&MemberRenewal { incarnation, note, seen }).await;
    assert!(matches!(renewed, Err(StoreError::Invalid { .. })), "{renewed:?}");
    assert_eq!(node.sight().await.version, version);
}

/// What members say may be as large as it may be, and any bytes.
pub async fn the_largest_description_and_note_come_back(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::claim(&stores, "a").await else { return };
    let bytes = |many: usize| Bytes::from_iter((0..many).map(|nr| (nr % 256) as u8));
    let description = bytes(DESCRIPTION_BYTES_MAX);
    let member = NewMember { description: description.clone(), ..node.new_member() };
    node.members.join(&terms(), &member).await.expect("it is not too large");
    let (note, incarnation, seen) = (bytes(NOTE_BYTES_MAX), node.incarnation, TableVersion::ZERO);
    let renewal = MemberRenewal { incarnation, note: note.clone(), seen };
    node.members.renew_member(&renewal).await.expect("it is not too large");
    let row = node.row().await;
    assert_eq!((row.description, row.note), (description, note));
}
