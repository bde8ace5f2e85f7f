use super::{
    super::{Incarnation, Renewal, StoredRow, progress::Epoch},
    ClusterSight, ClusterTerms, MemberRow, OwnerRow, RolePartition, TableVersion,
};
use actum_model::Partition;
use std::time::Duration;

/// What the first column of a row says that it is.
const CLUSTER: i64 = 0;
const MEMBER: i64 = 1;
const OWNER: i64 = 2;

/// Rows that are read in one statement, with these columns:
///
/// | what | | | | | | |
/// |---|---|---|---|---|---|---|
/// | the cluster, once | 0 | version | lease in ms | whether the owners follow: 0 or 1 | name | | |
/// | a member | 1 | incarnation | renewal | | name | description | note |
/// | an owner | 2 | partition | owner or NULL | epoch | role | | |
impl ClusterSight {
    /// What rows of this shape say, in whatever order; none without one of the cluster.
    ///
    /// # Errors
    /// The store's own when a column cannot be read or is damaged.
    pub fn of_rows<R: StoredRow>(rows: &[R]) -> Result<Option<Self>, R::Error> {
        let (mut cluster, mut members, mut owners) = (None, Vec::new(), Vec::new());
        for row in rows {
            match row.number(0)? {
                CLUSTER => {
                    let lease = Duration::from_millis(row.count(2)?);
                    let terms = ClusterTerms { cluster: row.text(4)?, lease };
                    cluster =
                        Some((TableVersion::new(row.ordinal(1)?), row.number(3)? != 0, terms));
                }
                MEMBER => members.push(member(row)?),
                OWNER => owners.push(OwnerRow::of_row(row)?),
                what => return Err(R::damaged(0, format!("{what} is no kind of row"))),
            }
        }
        members.sort_unstable_by_key(|member| member.incarnation);
        owners.sort_unstable_by(|one, other| one.of.cmp(&other.of));
        Ok(cluster.map(|(version, has_owners, terms)| {
            Self::new(version, terms, members, has_owners.then_some(owners))
        }))
    }
}

impl OwnerRow {
    /// What a row says of an owner.
    ///
    /// # Errors
    /// The store's own when a column cannot be read or is damaged.
    pub fn of_row<R: StoredRow>(row: &R) -> Result<Self, R::Error> {
        let partition = u16::try_from(row.number(1)?);
        let partition = partition.map_err(|_| R::damaged(1, "there is no such partition"))?;
        let role = row.text(4)?.into();
        let of = RolePartition { role, partition: Partition::new(partition) };
        let owner = match row.optional_number(2)? {
            None => None,
            Some(_) => Some(Incarnation::new(row.ordinal(2)?)),
        };
        Ok(Self::new(of, owner, Epoch::new(row.count(3)?)))
    }
}

fn member<R: StoredRow>(row: &R) -> Result<MemberRow, R::Error> {
    let (incarnation, renewal) = (Incarnation::new(row.ordinal(1)?), Renewal::new(row.number(2)?));
    let mut member = MemberRow::new(incarnation, row.text(4)?, row.bytes(5)?, renewal);
    member.note = row.bytes(6)?;
    Ok(member)
}
