//! The members and owners in the golden journals: none before schema version 4.

use crate::sample::claim;
use actum_model::Partition;
use actum_persistence::{
    members::{
        ClusterTerms, MemberRenewal, MemberRow, MemberStore, NewMember, OwnerClaim, OwnerRow,
        RolePartition, TableVersion, node_slot,
    },
    progress::Epoch,
    store::{Incarnation, Renewal, WriterClaim, WriterStore},
};
use actum_store_postgres::PostgresStore;
use bytes::Bytes;
use std::time::Duration;

const MEMBER: Incarnation = Incarnation::new(3);

/// What the next claim gets in a golden journal.
pub(crate) fn next_incarnation(version: u32) -> Incarnation {
    Incarnation::new(if version < 4 { 3 } else { 4 })
}

fn owned(role: &str, partition: u16) -> RolePartition {
    RolePartition { role: role.into(), partition: Partition::new(partition) }
}

fn terms() -> ClusterTerms {
    ClusterTerms { cluster: "bank".into(), lease: Duration::from_millis(3_001) }
}

/// One member, which has renewed, two partitions that it owns and one that it has given back.
pub(crate) async fn write_members(store: &PostgresStore) {
    // an engine and a node do not hold their slots at once
    store.release(Incarnation::new(2)).await.unwrap();
    let claim = WriterClaim { slot: node_slot("a"), ..claim("a node") };
    assert_eq!(store.claim(&claim).await.unwrap(), MEMBER);
    let description = Bytes::from_static(b"\x00\xff");
    let member = NewMember { incarnation: MEMBER, name: "a".into(), description };
    store.join(&terms(), &member).await.unwrap();
    let note = Bytes::from_static(b"note");
    let renewal = MemberRenewal { incarnation: MEMBER, note, seen: TableVersion::ZERO };
    store.renew_member(&renewal).await.unwrap();
    let all = [owned("", 0), owned("", 15), owned("billing", 0)];
    let claims = all.clone().map(|of| OwnerClaim { of, seen: Epoch::default() });
    store.claim_partitions(MEMBER, &claims).await.unwrap();
    store.release_partitions(MEMBER, &all[1..2]).await.unwrap();
}

pub(crate) async fn assert_members(store: &PostgresStore, version: u32) {
    let sight = store.read_members(TableVersion::ZERO).await.unwrap();
    if version < 4 {
        return assert_eq!(sight, None);
    }
    let sight = sight.unwrap();
    assert_eq!((sight.version, sight.terms), (TableVersion::new(3), terms()));
    let description = Bytes::from_static(b"\x00\xff");
    let mut member = MemberRow::new(MEMBER, "a".into(), description, Renewal::new(2));
    member.note = Bytes::from_static(b"note");
    assert_eq!(sight.members, [member]);
    let row = |of, owner, epoch| OwnerRow::new(of, owner, Epoch::new(epoch));
    let owners = [
        row(owned("", 0), Some(MEMBER), 1),
        row(owned("", 15), None, 2),
        row(owned("billing", 0), Some(MEMBER), 1),
    ];
    assert_eq!(sight.owners.unwrap(), owners);
}
