use super::{
    super::{
        Incarnation, LEASE_MAX, SeenHolder, StoreError, bounds::NUMBER_MAX,
        payload_check::check_name,
    },
    CLUSTER_NAME_BYTES_MAX, ClusterTerms, DESCRIPTION_BYTES_MAX, MemberRenewal, NODE_BYTES_MAX,
    NOTE_BYTES_MAX, NewMember, OWNER_CHANGES_MAX, OwnerClaim, RolePartition,
};
use actum_model::PartitionCount;
use std::collections::HashSet;

impl ClusterTerms {
    /// Checks what every store must refuse.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the name is empty, too long or contains NUL, or the lease is not one of whole
    /// milliseconds from 1 ms to a day.
    pub fn check(&self) -> Result<(), StoreError> {
        check_name("the name of a cluster", &self.cluster, CLUSTER_NAME_BYTES_MAX)
            .map_err(StoreError::invalid)?;
        let (lease, whole) = (self.lease, self.lease.subsec_nanos().is_multiple_of(1_000_000));
        if !whole || lease.is_zero() || lease > LEASE_MAX {
            return Err(StoreError::invalid(format!(
                "the lease of a cluster must be whole milliseconds, 1 ms to a day, this one is {lease:?}"
            )));
        }
        Ok(())
    }
}

impl NewMember {
    /// Checks what every store must refuse.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the name is empty, too long or contains NUL, or the description is too long.
    pub fn check(&self) -> Result<(), StoreError> {
        check_name("the name of a node", &self.name, NODE_BYTES_MAX)
            .map_err(StoreError::invalid)?;
        check_bytes("the description of a member", self.description.len(), DESCRIPTION_BYTES_MAX)
    }
}

impl MemberRenewal {
    /// Checks what every store must refuse.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the note is too long.
    pub fn check(&self) -> Result<(), StoreError> {
        check_bytes("the note of a member", self.note.len(), NOTE_BYTES_MAX)
    }
}

impl SeenHolder {
    /// Checks that a member does not revoke itself.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it does.
    pub fn check_revoked_by(self, by: Incarnation) -> Result<(), StoreError> {
        if self.incarnation == by {
            return Err(StoreError::invalid("a member cannot revoke itself: it leaves"));
        }
        Ok(())
    }
}

impl OwnerClaim {
    /// Checks claims of one call, for a journal of so many partitions.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when [`RolePartition::check_all`] refuses what is claimed, or an epoch is too high.
    pub fn check_all(claims: &[Self], partitions: PartitionCount) -> Result<(), StoreError> {
        RolePartition::check_all(claims.iter().map(|claim| &claim.of), partitions)?;
        match claims.iter().find(|claim| claim.seen.get() >= NUMBER_MAX) {
            Some(claim) => Err(StoreError::invalid(format!(
                "partition {} cannot have been seen in epoch {}",
                claim.of, claim.seen
            ))),
            None => Ok(()),
        }
    }
}

impl RolePartition {
    /// Checks what one call claims or releases, of a journal of so many partitions.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there are too many, one is there twice or is no partition of the journal, or a role is
    /// too long or contains NUL.
    pub fn check_all<'a>(
        all: impl ExactSizeIterator<Item = &'a Self>,
        partitions: PartitionCount,
    ) -> Result<(), StoreError> {
        let many = all.len();
        if many > OWNER_CHANGES_MAX {
            return Err(StoreError::invalid(format!(
                "one call changes at most {OWNER_CHANGES_MAX} owners, this one {many}"
            )));
        }
        let mut seen = HashSet::with_capacity(many);
        for of in all {
            check_role(&of.role)?;
            if of.partition.nr() >= partitions.get() {
                let count = partitions.get();
                let what = format!("the journal has {count} partitions, from 0, and not {of}");
                return Err(StoreError::invalid(what));
            }
            if !seen.insert(of) {
                return Err(StoreError::invalid(format!("partition {of} is there twice")));
            }
        }
        Ok(())
    }
}

/// Checks that a role is empty, or a name.
pub(in crate::store) fn check_role(role: &str) -> Result<(), StoreError> {
    if role.is_empty() {
        return Ok(());
    }
    check_name("a role", role, CLUSTER_NAME_BYTES_MAX).map_err(StoreError::invalid)
}

fn check_bytes(what: &str, bytes: usize, max: usize) -> Result<(), StoreError> {
    if bytes <= max {
        return Ok(());
    }
    Err(StoreError::invalid(format!("{what} has at most {max} bytes, this one has {bytes}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::Partition;
    use bytes::Bytes;
    use std::time::Duration;

    fn terms(cluster: &str, lease: Duration) -> Result<(), String> {
        let terms = ClusterTerms { cluster: cluster.to_owned(), lease };
        terms.check().map_err(|error| error.to_string())
    }

    fn of(role: &str, partition: u16) -> RolePartition {
        RolePartition { role: role.into(), partition: Partition::new(partition) }
    }

    #[test]
    fn terms_have_a_name_and_a_lease_of_whole_milliseconds() {
        let second = Duration::from_secs(1);
        assert_eq!(terms("bank", second), Ok(()));
        for (name, lease, problem) in [
            ("", second, "the name of a cluster must have 1 to 64 bytes, this one has 0"),
            (
                "b",
                Duration::ZERO,
                "the lease of a cluster must be whole milliseconds, 1 ms to a day",
            ),
            ("b", Duration::from_micros(1_500), "this one is 1.5ms"),
            ("b", 86_401 * second, "this one is 86401s"),
        ] {
            let error = terms(name, lease).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn what_is_claimed_is_there_once_and_of_the_journal() {
        let partitions = PartitionCount::new(4).unwrap();
        let check = |all: &[RolePartition]| {
            RolePartition::check_all(all.iter(), partitions).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[of("", 0), of("", 3), of("a", 3)]), Ok(()));
        for (all, problem) in [
            (vec![of("", 4)], "the journal has 4 partitions, from 0, and not 4"),
            (vec![of("a", 1), of("", 1), of("a", 1)], "partition 1 of a is there twice"),
            (vec![of("a\0", 1)], "a role must not contain NUL"),
            (vec![of("", 0); OWNER_CHANGES_MAX + 1], "one call changes at most 10000 owners"),
        ] {
            let error = check(&all).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn what_members_say_has_bounds() {
        let renewal = |bytes| MemberRenewal {
            incarnation: crate::store::Incarnation::new(1),
            note: Bytes::from(vec![0; bytes]),
            seen: super::super::TableVersion::ZERO,
        };
        assert!(renewal(NOTE_BYTES_MAX).check().is_ok());
        assert!(renewal(NOTE_BYTES_MAX + 1).check().is_err());
    }
}
