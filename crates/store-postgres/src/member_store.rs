//! Members and owners. A change is made beside no write of the member it is about, which its fence sees to, and one at a
//! time, which the row of the cluster sees to.

use crate::{
    PostgresStore, fault, fence,
    revocation::{CHANGED, LOCK},
    row::{Row, column},
    session::Statement,
    texts::Texts,
    tokens::Token,
    transaction::{self, Transaction},
};
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, KeepsMembers, MEMBERS_MAX, MemberRenewal,
        MemberStore, NewMember, OwnerClaim, OwnerRow, RolePartition, TableVersion, node_slot,
    },
    store::{Incarnation, SeenHolder, StoreError, StoredRow, WriterStore, integer},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Everything at one moment; the columns are those of [`ClusterSight::of_rows`].
const SIGHT: &str = "
    SELECT 0::bigint, version, lease_millis, (version <> $1)::integer::bigint, name, NULL::bytea, NULL::bytea
    FROM @cluster
    UNION ALL SELECT 1, incarnation, renewal, NULL, name, description, note FROM @members
    UNION ALL SELECT 2, partition, owner, epoch, role, NULL, NULL FROM @owners
        WHERE $1 <> (SELECT version FROM @cluster)";

/// Renews, and returns everything as it is then; without the row of the cluster if there is no such member.
const RENEW: &str = "
    WITH renewed AS (
        UPDATE @members AS m SET renewal = m.renewal + 1, note = $3 WHERE m.incarnation = $2
        RETURNING m.incarnation, m.renewal, m.name, m.description, m.note
    )
    SELECT 0::bigint, version, lease_millis, (version <> $1)::integer::bigint, name, NULL::bytea, NULL::bytea
    FROM @cluster WHERE EXISTS (SELECT FROM renewed)
    UNION ALL SELECT 1, incarnation, renewal, NULL, name, description, note FROM renewed
    UNION ALL SELECT 1, incarnation, renewal, NULL, name, description, note FROM @members WHERE incarnation <> $2
    UNION ALL SELECT 2, partition, owner, epoch, role, NULL, NULL FROM @owners
        WHERE $1 <> (SELECT version FROM @cluster)";

const HOLDS_SLOT: &str =
    "SELECT FROM @writers WHERE incarnation = $1 AND slot = $2 AND revoked_at IS NULL";

/// The row of the first one that joins; of two that do the second waits, and sees it.
const FIRST_TERMS: &str = "INSERT INTO @cluster (version, lease_millis, name) VALUES (0, $1, $2)
    ON CONFLICT (one) DO NOTHING";

const OTHERS: &str = "SELECT count(*) FROM @members WHERE incarnation <> $1";

const AGREE: &str = "UPDATE @cluster SET version = version + 1, lease_millis = $1, name = $2";

const ENTER: &str = "INSERT INTO @members AS m (incarnation, renewal, name, description, note)
    VALUES ($1, 1, $2, $3, '')
    ON CONFLICT (incarnation) DO UPDATE
    SET renewal = m.renewal + 1, description = excluded.description, note = excluded.note";

const MEMBER: &str = "SELECT FROM @members WHERE incarnation = $1";

// the lists have an entry for each: a role, a partition and an epoch
const CLAIM_FIRST: &str = "INSERT INTO @owners (role, partition, owner, epoch)
    SELECT c.role, c.partition, $1, 1
    FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS c (role, partition, seen)
    WHERE c.seen = 0 ON CONFLICT (role, partition) DO NOTHING RETURNING partition";

const CLAIM: &str = "UPDATE @owners AS o SET owner = $1, epoch = o.epoch + 1
    FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS c (role, partition, seen)
    WHERE o.role = c.role AND o.partition = c.partition AND o.epoch = c.seen AND o.owner IS NULL
    RETURNING o.partition";

const RELEASE: &str = "UPDATE @owners AS o SET owner = NULL, epoch = o.epoch + 1
    FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS c (role, partition, seen)
    WHERE o.role = c.role AND o.partition = c.partition AND o.owner = $1
    RETURNING o.partition";

/// What a member owns has changed: what it has sent before is not carried out any more, see [`Token`].
const OUTDATE: &str =
    "UPDATE @writers SET settled = settled + 1 + floor(random() * 2147483647)::bigint
    WHERE incarnation = $1 RETURNING nonce, settled";

const OWNERS: &str = "SELECT 2::bigint, c.partition::bigint, o.owner, coalesce(o.epoch, 0), c.role
    FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS c (role, partition, nr)
    LEFT JOIN @owners AS o ON o.role = c.role AND o.partition = c.partition
    ORDER BY c.nr";

impl KeepsMembers for PostgresStore {
    fn members(self: Arc<Self>) -> Option<Arc<dyn MemberStore>> {
        Some(self)
    }
}

#[async_trait]
impl MemberStore for PostgresStore {
    async fn join(
        &self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        terms.check()?;
        member.check()?;
        let doing = "joining a cluster";
        let nr = integer::incarnation(member.incarnation)?;
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let joined = self.join_in(&mut tx, nr, terms, member).await;
        tx.finish(joined).await
    }

    async fn read_members(&self, seen: TableVersion) -> Result<Option<ClusterSight>, StoreError> {
        let doing = "reading the members of a cluster";
        let texts = &self.shared.texts;
        let rows = self.shared.connections.read(doing, || sight(texts, seen)).await?;
        ClusterSight::of_rows(&rows).map_err(|error| fault::store_error(doing, error))
    }

    async fn renew_member(&self, renewal: &MemberRenewal) -> Result<ClusterSight, StoreError> {
        renewal.check()?;
        let (doing, incarnation) = ("renewing a membership", renewal.incarnation);
        let nr = integer::incarnation(incarnation)?;
        let renew = || {
            let renew = sqlx::query(self.shared.texts.of(RENEW));
            renew.bind(integer::bound(renewal.seen.get())).bind(nr).bind(renewal.note.to_vec())
        };
        let mut session = self.shared.connections.acquire(doing).await?;
        let rows = transaction::call(&mut session, self.shared.connector(), doing, renew).await?;
        let sight = ClusterSight::of_rows(&rows);
        let sight = sight.map_err(|error| fence::unreadable(doing, error))?;
        sight.ok_or(StoreError::Fenced { incarnation })
    }

    async fn claim_partitions(
        &self,
        member: Incarnation,
        claims: &[OwnerClaim],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        OwnerClaim::check_all(claims, self.layout().partitions)?;
        let mut list = OwnerList::default();
        claims.iter().for_each(|claim| list.add(&claim.of, claim.seen.get()));
        self.change_owners("claiming partitions", member, &list, &[CLAIM_FIRST, CLAIM]).await
    }

    async fn release_partitions(
        &self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        RolePartition::check_all(partitions.iter(), self.layout().partitions)?;
        let mut list = OwnerList::default();
        partitions.iter().for_each(|of| list.add(of, 0));
        self.change_owners("releasing partitions", member, &list, &[RELEASE]).await
    }

    async fn revoke_member(&self, by: Incarnation, seen: SeenHolder) -> Result<bool, StoreError> {
        seen.check_revoked_by(by)?;
        let doing = "revoking a member";
        let by_nr = integer::incarnation(by)?;
        let Some(nr) = integer::stored(seen.incarnation.get()) else { return Ok(false) };
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let revoked = self.revoke_in(&mut tx, by_nr, nr, seen.renewal.get()).await;
        tx.finish(revoked).await
    }

    async fn leave(&self, member: Incarnation) -> Result<(), StoreError> {
        self.release(member).await
    }
}

impl PostgresStore {
    async fn join_in(
        &self,
        tx: &mut Transaction<'_>,
        nr: i64,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        let (texts, incarnation) = (&self.shared.texts, member.incarnation);
        self.begin_change(tx, nr).await?;
        let slot = sqlx::query(texts.of(HOLDS_SLOT)).bind(nr).bind(node_slot(&member.name));
        if tx.rows(slot).await?.is_empty() {
            return Err(StoreError::Fenced { incarnation }.into());
        }
        let lease = i64::try_from(terms.lease.as_millis()).expect("a lease is at most a day");
        let agreed = |text| sqlx::query(texts.of(text)).bind(lease).bind(&terms.cluster);
        tx.rows(agreed(FIRST_TERMS)).await?;
        let rows = tx.rows(sqlx::query(texts.of(LOCK))).await?;
        let theirs = rows.first().ok_or(sqlx::Error::RowNotFound).and_then(terms_of);
        let theirs = theirs.map_err(|error| tx.failed(error))?;
        let rows = tx.rows(sqlx::query(texts.of(OTHERS)).bind(nr)).await?;
        let others = rows.first().ok_or(sqlx::Error::RowNotFound).and_then(|row| row.count(0));
        let others = others.map_err(|error| tx.failed(error))?;
        if others > 0 && theirs != *terms {
            return Err(JoinError::Disagrees { ours: terms.clone(), theirs });
        }
        let others = usize::try_from(others).unwrap_or(usize::MAX);
        if others >= MEMBERS_MAX {
            return Err(JoinError::Full { members: others });
        }
        tx.rows(agreed(AGREE)).await?;
        let enter = sqlx::query(texts.of(ENTER)).bind(nr).bind(&member.name);
        tx.rows(enter.bind(member.description.to_vec())).await?;
        let rows = tx.rows(sight(texts, TableVersion::ZERO)).await?;
        let sight = ClusterSight::of_rows(&rows).map_err(|error| tx.failed(error))?;
        let lost = || StoreError::corrupt("a cluster that was just joined is not there");
        Ok(sight.ok_or_else(lost)?)
    }

    async fn change_owners(
        &self,
        doing: &'static str,
        member: Incarnation,
        list: &OwnerList,
        statements: &[&'static str],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        let nr = integer::incarnation(member)?;
        let _alone = self.shared.owner_changes.write().await;
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let changed = self.change_owners_in(&mut tx, nr, list, statements).await;
        let (owners, token) = tx.finish(changed).await?;
        token.into_iter().for_each(|token| self.shared.tokens.learn(nr, token));
        Ok(owners)
    }

    async fn change_owners_in(
        &self,
        tx: &mut Transaction<'_>,
        nr: i64,
        list: &OwnerList,
        statements: &[&'static str],
    ) -> Result<(Vec<OwnerRow>, Option<Token>), StoreError> {
        let texts = &self.shared.texts;
        self.begin_change(tx, nr).await?;
        tx.rows(sqlx::query(texts.of(LOCK))).await?;
        self.check_member(tx, nr).await?;
        let mut has_changed = false;
        for &statement in statements {
            let change = sqlx::query(texts.of(statement)).bind(nr);
            let change = change.bind(&list.roles).bind(&list.partitions).bind(&list.epochs);
            has_changed |= !tx.rows(change).await?.is_empty();
        }
        let mut token = None;
        if has_changed {
            tx.rows(sqlx::query(texts.of(CHANGED))).await?;
            let rows = tx.rows(sqlx::query(texts.of(OUTDATE)).bind(nr)).await?;
            token =
                rows.first().map(Token::of_row).transpose().map_err(|error| tx.failed(error))?;
        }
        let owners = sqlx::query(texts.of(OWNERS)).bind(&list.roles).bind(&list.partitions);
        let rows = tx.rows(owners).await?;
        let owners: Result<_, _> = rows.iter().map(OwnerRow::of_row).collect();
        Ok((owners.map_err(|error| tx.failed(error))?, token))
    }

    async fn revoke_in(
        &self,
        tx: &mut Transaction<'_>,
        by: i64,
        nr: i64,
        renewal: i64,
    ) -> Result<bool, StoreError> {
        let texts = &self.shared.texts;
        tx.rows(sqlx::query(texts.of("SELECT @durably_v1()"))).await?;
        // two members that revoke each other take one fence each, and meet at the row of the cluster
        fence::hold(tx, self.shared.lock_space, nr).await?;
        tx.rows(sqlx::query(texts.of(LOCK))).await?;
        self.check_member(tx, by).await?;
        let may_be_revoked = self.is_unrenewed(tx, nr, renewal).await?;
        if may_be_revoked {
            self.revoke_held(tx, nr, None).await?;
        }
        Ok(may_be_revoked)
    }

    /// Begins a change in the name of an incarnation: until it is committed no one revokes that, and none of its writes is
    /// under way.
    async fn begin_change(&self, tx: &mut Transaction<'_>, nr: i64) -> Result<(), StoreError> {
        tx.rows(sqlx::query(self.shared.texts.of("SELECT @durably_v1()"))).await?;
        fence::hold(tx, self.shared.lock_space, nr).await
    }

    async fn check_member(&self, tx: &mut Transaction<'_>, nr: i64) -> Result<(), StoreError> {
        let incarnation = Incarnation::new(nr.cast_unsigned());
        let member = sqlx::query(self.shared.texts.of(MEMBER)).bind(nr);
        if tx.rows(member).await?.is_empty() {
            return Err(StoreError::Fenced { incarnation });
        }
        Ok(())
    }
}

/// What one call claims or releases, as arrays.
#[derive(Default)]
struct OwnerList {
    roles: Vec<String>,
    partitions: Vec<i32>,
    epochs: Vec<i64>,
}

impl OwnerList {
    fn add(&mut self, of: &RolePartition, epoch: u64) {
        self.roles.push(of.role.to_string());
        self.partitions.push(of.partition.nr().into());
        self.epochs.push(integer::bound(epoch));
    }
}

fn sight(texts: &Texts, seen: TableVersion) -> Statement<'static> {
    sqlx::query(texts.of(SIGHT)).bind(integer::bound(seen.get()))
}

/// What the members agree on.
fn terms_of(row: &Row) -> Result<ClusterTerms, sqlx::Error> {
    Ok(ClusterTerms { cluster: column(row, 1)?, lease: Duration::from_millis(row.count(0)?) })
}
