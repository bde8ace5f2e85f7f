//! Which member owns which partition. Where nodes cannot share the journal, a case has nothing to check.

use super::{
    StoreFixture,
    node::{Node, first_claims, owned, plain},
    refusal::assert_fenced,
};
use actum_model::Partition;
use actum_persistence::{
    members::{OWNER_CHANGES_MAX, OwnerClaim, RolePartition},
    progress::Epoch,
    store::StoreError,
};
use tokio::task::JoinSet;

/// A partition that no one owns is claimed, and counts its epochs from there on.
pub async fn a_partition_without_an_owner_is_claimed(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let version = node.sight().await.version;
    let rows = node.claim_first(3..6).await;
    assert_eq!(owned(&rows), [(Some(node.incarnation), 1); 3]);
    let kept: Vec<_> = rows.iter().map(|row| row.of.clone()).collect();
    assert_eq!(kept, [plain(3), plain(4), plain(5)]);
    let sight = node.sight().await;
    assert_eq!(sight.owners, Some(rows));
    assert!(sight.version > version);
}

/// A partition that has an owner stays with it, whatever epoch a claim names; the others of the call are claimed.
pub async fn a_partition_stays_with_its_owner(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    node.claim_first(0..2).await;
    for seen in [Epoch::default(), Epoch::new(1)] {
        let claim = OwnerClaim { of: plain(1), seen };
        let rows = other.members.claim_partitions(other.incarnation, &[claim]).await;
        assert_eq!(owned(&rows.expect("it can ask")), [(Some(node.incarnation), 1)]);
    }
    let rows = other.claim_first(1..4).await;
    let expected = [(node.incarnation, 1), (other.incarnation, 1), (other.incarnation, 1)];
    assert_eq!(owned(&rows), expected.map(|(owner, epoch)| (Some(owner), epoch)));
}

/// A partition is claimed only in the epoch it was seen in: a claim that comes late gets nothing.
pub async fn a_claim_of_another_epoch_gets_nothing(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    node.claim_first(0..1).await;
    let released = node.members.release_partitions(node.incarnation, &[plain(0)]).await;
    assert_eq!(owned(&released.expect("an owner can release")), [(None, 2)]);
    let version = node.sight().await.version;
    for seen in [0, 1, 3] {
        let claim = OwnerClaim { of: plain(0), seen: Epoch::new(seen) };
        let rows = node.members.claim_partitions(node.incarnation, &[claim]).await;
        assert_eq!(owned(&rows.expect("it can ask")), [(None, 2)], "seen in {seen}");
    }
    assert_eq!(node.sight().await.version, version, "nothing was changed");
    let claim = OwnerClaim { of: plain(0), seen: Epoch::new(2) };
    let rows = node.members.claim_partitions(node.incarnation, &[claim]).await;
    assert_eq!(owned(&rows.expect("it can ask")), [(Some(node.incarnation), 3)]);
}

/// Only its owner gives a partition back.
pub async fn only_its_owner_releases_a_partition(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    node.claim_first(0..2).await;
    other.claim_first(2..3).await;
    let version = node.sight().await.version;
    let asked = [plain(0), plain(7)];
    let rows = other.members.release_partitions(other.incarnation, &asked).await;
    assert_eq!(owned(&rows.expect("it can ask")), [(Some(node.incarnation), 1), (None, 0)]);
    assert_eq!(node.sight().await.version, version, "nothing was changed");
    let asked = [plain(2), plain(1)];
    let rows = node.members.release_partitions(node.incarnation, &asked).await;
    assert_eq!(owned(&rows.expect("it can ask")), [(Some(other.incarnation), 1), (None, 2)]);
    assert!(node.sight().await.version > version);
}

/// One partition has an owner in each role.
pub async fn roles_do_not_touch_each_other(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let other = Node::joined(&stores, "b").await.expect("two can share it");
    node.claim_first(0..1).await;
    let billing = RolePartition { role: "billing".into(), ..plain(0) };
    let claim = OwnerClaim { of: billing.clone(), seen: Epoch::default() };
    let rows = other.members.claim_partitions(other.incarnation, &[claim]).await;
    assert_eq!(owned(&rows.expect("it can ask")), [(Some(other.incarnation), 1)]);
    let owners = node.sight().await.owners.expect("all are wanted");
    let names: Vec<_> = owners.iter().map(|row| row.of.to_string()).collect();
    assert_eq!(names, ["0", "0 of billing"]);
    let owner = [(Some(node.incarnation), 1), (Some(other.incarnation), 1)];
    assert_eq!(owned(&owners), owner);
}

/// What a member owned is free when its membership ends, however it ends, and counts an epoch.
pub async fn what_an_ended_member_owned_is_free(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(observer) = Node::joined(&stores, "observer").await else { return };
    observer.claim_first(10..11).await;
    let mut nr = 0;
    for how in ["leaves", "is revoked as a member", "is revoked as a writer", "releases its slot"] {
        let node = Node::joined(&stores, "a").await.expect("its slot is free");
        node.claim_first(nr..nr + 2).await;
        match how {
            "leaves" => node.members.leave(node.incarnation).await.expect("it can leave"),
            "is revoked as a member" => {
                let by = observer.incarnation;
                let revoked = observer.members.revoke_member(by, node.seen().await).await;
                assert!(revoked.expect("a member can revoke another"));
            }
            "is revoked as a writer" => {
                stores.writers.revoke(node.incarnation).await.expect("it can be revoked");
            }
            _ => stores.writers.release(node.incarnation).await.expect("it can be released"),
        }
        let owners = observer.sight().await.owners.expect("all are wanted");
        let freed = owners.iter().filter(|row| (nr..nr + 2).contains(&row.of.partition.nr()));
        let freed: Vec<_> = freed.map(|row| (row.owner, row.epoch.get())).collect();
        assert_eq!(freed, [(None, 2); 2], "one that {how}");
        assert_eq!(owners.last().and_then(|row| row.owner), Some(observer.incarnation));
        nr += 2;
    }
}

/// Who is no member claims and releases nothing.
pub async fn only_members_own_partitions(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let stranger = Node::claim(&stores, "b").await.expect("two can share it");
    let of = stranger.incarnation;
    assert_fenced(node.members.claim_partitions(of, &first_claims(0..1)).await, of);
    assert_fenced(node.members.release_partitions(of, &[plain(0)]).await, of);
    assert_eq!(node.sight().await.owners, Some(vec![]));
}

/// What cannot be claimed or released is refused, and nothing of the call is done.
pub async fn what_no_partition_is_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    let count = stores.events.layout().partitions.get();
    let too_many = vec![plain(0); OWNER_CHANGES_MAX + 1];
    let odd_role = RolePartition { role: "a\0b".into(), partition: Partition::new(1) };
    for asked in [vec![plain(0), plain(count)], vec![plain(1), plain(1)], too_many, vec![odd_role]]
    {
        let claims = asked.iter().map(|of| OwnerClaim { of: of.clone(), seen: Epoch::default() });
        let claims: Vec<_> = claims.collect();
        let claimed = node.members.claim_partitions(node.incarnation, &claims).await;
        assert!(matches!(claimed, Err(StoreError::Invalid { .. })), "{claimed:?}");
        let released = node.members.release_partitions(node.incarnation, &asked).await;
        assert!(matches!(released, Err(StoreError::Invalid { .. })), "{released:?}");
    }
    assert_eq!(node.sight().await.owners, Some(vec![]));
}

/// All partitions of a journal are claimed in one call, and none in a call of none.
pub async fn all_partitions_are_claimed_in_one_call(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let Some(node) = Node::joined(&stores, "a").await else { return };
    assert_eq!(node.claim_first(0..0).await, []);
    let count = stores.events.layout().partitions.get();
    let rows = node.claim_first(0..count).await;
    assert_eq!(owned(&rows), vec![(Some(node.incarnation), 1); usize::from(count)]);
    let all: Vec<_> = (0..count).map(plain).collect();
    let rows = node.members.release_partitions(node.incarnation, &all).await;
    let rows = rows.expect("an owner can release");
    assert_eq!(owned(&rows), vec![(None, 2); usize::from(count)]);
    assert_eq!(node.sight().await.owners, Some(rows));
}

/// Of many members that claim the same partitions at once each partition gets one owner, and all see the same.
pub async fn of_many_claimants_one_gets_each_partition(fixture: &dyn StoreFixture) {
    let mut nodes = Vec::new();
    for nr in 0..6 {
        let Some(node) = Node::joined(&fixture.open().await, &format!("n{nr}")).await else {
            return;
        };
        nodes.push(node);
    }
    let mut claims = JoinSet::new();
    for (nr, node) in nodes.iter().enumerate() {
        let (members, incarnation) = (node.members.clone(), node.incarnation);
        // each begins elsewhere, and they meet
        let order = first_claims((0..32).map(|at| (at + 5 * nr as u16) % 32));
        claims.spawn(async move {
            let rows = members.claim_partitions(incarnation, &order).await;
            rows.expect("a member can claim")
                .into_iter()
                .filter(|row| row.owner == Some(incarnation))
                .count()
        });
    }
    let got: usize = claims.join_all().await.into_iter().sum();
    assert_eq!(got, 32, "each partition was given once");
    let owners = nodes[0].sight().await.owners.expect("all are wanted");
    assert!(owners.iter().all(|row| row.owner.is_some() && row.epoch == Epoch::new(1)));
}

/// A claim that races with the revocation of its claimant is fenced, or is undone by it: nothing is left behind.
pub async fn a_claim_beside_a_revocation_leaves_nothing(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let Some(observer) = Node::joined(&other, "observer").await else { return };
    for round in 0..12_u16 {
        let node = Node::joined(&stores, "a").await.expect("its slot is free");
        let seen = node.seen().await;
        let (members, incarnation) = (node.members.clone(), node.incarnation);
        let claims = first_claims(round * 10..round * 10 + 10);
        let claiming =
            tokio::spawn(async move { members.claim_partitions(incarnation, &claims).await });
        let revoked = observer.members.revoke_member(observer.incarnation, seen).await;
        assert!(revoked.expect("a member can revoke another"));
        let claimed = claiming.await.expect("it does not panic");
        if let Err(error) = claimed {
            assert_fenced(Err::<(), _>(error), incarnation);
        }
        let owners = observer.sight().await.owners.expect("all are wanted");
        assert!(owners.iter().all(|row| row.owner.is_none()), "{owners:?}");
    }
}
