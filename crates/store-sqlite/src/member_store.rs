//! Members and owners. Each change is made under the lock on the file, beside no write.

use crate::{
    SqliteStore, fault,
    revocation::{self, CHANGED},
    row::{Row, column},
    session::Statement,
    writer::WriteTx,
};
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, KeepsMembers, MEMBERS_MAX, MemberRenewal,
        MemberStore, NewMember, OwnerClaim, OwnerRow, RolePartition, TableVersion, node_slot,
    },
    store::{Incarnation, SeenHolder, StoreError, StoredRow, WriterStore, integer},
};
use async_trait::async_trait;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Everything at one moment; the columns are those of [`ClusterSight::of_rows`].
const SIGHT: &str = "
    SELECT 0, version, lease_millis, version <> ?1, name, NULL, NULL FROM cluster
    UNION ALL SELECT 1, incarnation, renewal, NULL, name, description, note FROM members
    UNION ALL SELECT 2, partition, owner, epoch, role, NULL, NULL FROM owners
        WHERE ?1 <> (SELECT version FROM cluster)";

/// Whether an incarnation holds a slot; the version of the cluster, the length of its leases and its name; how many other
/// members there are.
const BEFORE_JOINING: &str = "
    SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ?1 AND slot = ?2 AND revoked_at IS NULL),
        (SELECT lease_millis FROM cluster), (SELECT name FROM cluster),
        (SELECT count(*) FROM members WHERE incarnation <> ?1)";

const AGREE: &str = "INSERT INTO cluster (one, version, lease_millis, name) VALUES (1, 1, ?, ?)
    ON CONFLICT (one) DO UPDATE
    SET version = version + 1, lease_millis = excluded.lease_millis, name = excluded.name";

const ENTER: &str = "INSERT INTO members (incarnation, renewal, name, description, note)
    VALUES (?, 1, ?, ?, x'')
    ON CONFLICT (incarnation) DO UPDATE
    SET renewal = renewal + 1, description = excluded.description, note = excluded.note";

const RENEW: &str =
    "UPDATE members SET renewal = renewal + 1, note = ?2 WHERE incarnation = ?1 RETURNING 1";

// each entry of the list is a role, a partition and an epoch
const CLAIM_FIRST: &str = "INSERT INTO owners (role, partition, owner, epoch)
    SELECT c.value ->> 0, c.value ->> 1, ?1, 1 FROM json_each(?2) AS c WHERE c.value ->> 2 = 0
    ON CONFLICT (role, partition) DO NOTHING";

const CLAIM: &str = "UPDATE owners SET owner = ?1, epoch = epoch + 1 FROM json_each(?2) AS c
    WHERE role = c.value ->> 0 AND partition = c.value ->> 1 AND epoch = c.value ->> 2 AND owner IS NULL";

const RELEASE: &str = "UPDATE owners SET owner = NULL, epoch = epoch + 1 FROM json_each(?2) AS c
    WHERE role = c.value ->> 0 AND partition = c.value ->> 1 AND owner = ?1";

const OWNERS: &str = "SELECT 2, c.value ->> 1, o.owner, ifnull(o.epoch, 0), c.value ->> 0
    FROM json_each(?) AS c LEFT JOIN owners AS o ON o.role = c.value ->> 0 AND o.partition = c.value ->> 1
    ORDER BY c.key";

impl KeepsMembers for SqliteStore {
    fn members(self: Arc<Self>) -> Option<Arc<dyn MemberStore>> {
        Some(self)
    }
}

#[async_trait]
impl MemberStore for SqliteStore {
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        terms.check()?;
        member.check()?;
        let mut tx = self.writer().begin_synced("joining a cluster").await?;
        let joined = join(&mut tx, terms, member).await;
        tx.finish(joined).await
    }

    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError> {
        let doing = "reading the members of a cluster";
        let mut reader = self.readers().reader(doing).await?;
        let sight = reader.rows(sight(seen)).await.and_then(|rows| ClusterSight::of_rows(&rows));
        sight.map_err(|error| fault::store_error(doing, error))
    }

    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError> {
        renewal.check()?;
        let nr = integer::incarnation(renewal.incarnation)?;
        let mut tx = self.writer().begin_relief("renewing a membership").await?;
        let renewed = renew(&mut tx, nr, renewal).await;
        tx.finish(renewed).await
    }

    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        OwnerClaim::check_all(claims, self.layout().partitions)?;
        let list = claims.iter().map(|claim| entry(&claim.of, claim.seen.get())).collect();
        self.change_owners("claiming partitions", member, list, &[CLAIM_FIRST, CLAIM]).await
    }

    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        RolePartition::check_all(partitions.iter(), self.layout().partitions)?;
        let list = partitions.iter().map(|of| entry(of, 0)).collect();
        self.change_owners("releasing partitions", member, list, &[RELEASE]).await
    }

    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError> {
        seen.check_revoked_by(by)?;
        let mut tx = self.writer().begin_synced("revoking a member").await?;
        let revoked = revoke(&mut tx, by, seen).await;
        tx.finish(revoked).await
    }

    async fn leave(&self, member: Incarnation) -> Result<(), StoreError> {
        self.release(member).await
    }
}

impl SqliteStore {
    async fn change_owners(
        &self,
        doing: &'static str,
        member: Incarnation,
        list: Vec<serde_json::Value>,
        statements: &[&'static str],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        let mut tx = self.writer().begin_synced(doing).await?;
        let changed = change_owners(&mut tx, member, &json!(list).to_string(), statements).await;
        tx.finish(changed).await
    }
}

async fn join(
    tx: &mut WriteTx<'_>,
    terms: &ClusterTerms,
    member: &NewMember,
) -> Result<ClusterSight, JoinError> {
    let incarnation = member.incarnation;
    let nr = integer::incarnation(incarnation)?;
    let query = sqlx::query(BEFORE_JOINING).bind(nr).bind(node_slot(&member.name));
    let rows = tx.rows(query).await?;
    let before = rows.first().ok_or(sqlx::Error::RowNotFound).and_then(before_joining);
    let (holds_slot, theirs, others) = before.map_err(|error| tx.failed(error))?;
    if !holds_slot {
        return Err(StoreError::Fenced { incarnation }.into());
    }
    match theirs {
        Some(theirs) if others > 0 && theirs != *terms => {
            return Err(JoinError::Disagrees { ours: terms.clone(), theirs });
        }
        _ if others >= MEMBERS_MAX => return Err(JoinError::Full { members: others }),
        _ => {}
    }
    let lease = i64::try_from(terms.lease.as_millis()).expect("a lease is at most a day");
    tx.execute(sqlx::query(AGREE).bind(lease).bind(terms.cluster.as_str())).await?;
    let enter = sqlx::query(ENTER).bind(nr).bind(member.name.as_str());
    tx.execute(enter.bind(member.description.to_vec())).await?;
    Ok(sight_in(tx, TableVersion::ZERO, incarnation).await?)
}

async fn renew(
    tx: &mut WriteTx<'_>,
    nr: i64,
    renewal: &MemberRenewal,
) -> Result<ClusterSight, StoreError> {
    let (incarnation, note) = (renewal.incarnation, renewal.note.to_vec());
    if tx.rows(sqlx::query(RENEW).bind(nr).bind(note)).await?.is_empty() {
        return Err(StoreError::Fenced { incarnation });
    }
    sight_in(tx, renewal.seen, incarnation).await
}

async fn change_owners(
    tx: &mut WriteTx<'_>,
    member: Incarnation,
    list: &str,
    statements: &[&'static str],
) -> Result<Vec<OwnerRow>, StoreError> {
    let nr = check_member(tx, member).await?;
    let mut changed = 0;
    for &statement in statements {
        let done = tx.session().change(sqlx::query(statement).bind(nr).bind(list)).await;
        changed += done.map_err(|error| tx.failed(error))?;
    }
    if changed > 0 {
        tx.execute(sqlx::query(CHANGED)).await?;
    }
    let rows = tx.rows(sqlx::query(OWNERS).bind(list)).await?;
    let owners: Result<_, _> = rows.iter().map(OwnerRow::of_row).collect();
    owners.map_err(|error| tx.failed(error))
}

async fn revoke(
    tx: &mut WriteTx<'_>,
    by: Incarnation,
    seen: SeenHolder,
) -> Result<bool, StoreError> {
    check_member(tx, by).await?;
    let Some(nr) = integer::stored(seen.incarnation.get()) else { return Ok(false) };
    let query = sqlx::query("SELECT 1 FROM members WHERE incarnation = ? AND renewal = ?");
    if tx.rows(query.bind(nr).bind(seen.renewal.get())).await?.is_empty() {
        return Ok(false);
    }
    revocation::revoke(tx, nr).await?;
    Ok(true)
}

/// The number of an incarnation, which must be a member.
async fn check_member(tx: &mut WriteTx<'_>, incarnation: Incarnation) -> Result<i64, StoreError> {
    let nr = integer::incarnation(incarnation)?;
    let query = sqlx::query("SELECT 1 FROM members WHERE incarnation = ?").bind(nr);
    if tx.rows(query).await?.is_empty() { Err(StoreError::Fenced { incarnation }) } else { Ok(nr) }
}

/// What a member sees.
async fn sight_in(
    tx: &mut WriteTx<'_>,
    seen: TableVersion,
    member: Incarnation,
) -> Result<ClusterSight, StoreError> {
    let rows = tx.rows(sight(seen)).await?;
    let sight = ClusterSight::of_rows(&rows).map_err(|error| tx.failed(error))?;
    sight.ok_or_else(|| {
        StoreError::corrupt(format!("incarnation {member} is a member of no cluster"))
    })
}

fn sight(seen: TableVersion) -> Statement<'static> {
    sqlx::query(SIGHT).bind(integer::bound(seen.get()))
}

fn entry(of: &RolePartition, seen: u64) -> serde_json::Value {
    json!([&*of.role, of.partition.nr(), seen])
}

/// Whether the joining one holds its slot, what the others agree on, and how many they are.
fn before_joining(row: &Row) -> Result<(bool, Option<ClusterTerms>, usize), sqlx::Error> {
    let theirs = match row.optional_text(2)? {
        None => None,
        Some(cluster) => {
            Some(ClusterTerms { cluster, lease: Duration::from_millis(row.count(1)?) })
        }
    };
    Ok((column(row, 0)?, theirs, usize::try_from(row.count(3)?).unwrap_or(usize::MAX)))
}
