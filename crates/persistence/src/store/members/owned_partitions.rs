use super::RolePartition;
use actum_model::Partition;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What a member owns: for a store that asks for many partitions at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedPartitions {
    roles: HashMap<Arc<str>, HashSet<Partition>>,
}

impl OwnedPartitions {
    /// Whether a partition is among them, in a role.
    #[must_use]
    pub fn has(&self, role: &str, partition: Partition) -> bool {
        self.roles.get(role).is_some_and(|owned| owned.contains(&partition))
    }
}

impl FromIterator<RolePartition> for OwnedPartitions {
    fn from_iter<I: IntoIterator<Item = RolePartition>>(all: I) -> Self {
        let mut owned = Self::default();
        for RolePartition { role, partition } in all {
            owned.roles.entry(role).or_default().insert(partition);
        }
        owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_owned_in_the_roles_it_was_claimed_in() {
        let of =
            |role: &str, nr| RolePartition { role: role.into(), partition: Partition::new(nr) };
        let owned: OwnedPartitions = [of("", 1), of("", 2), of("billing", 1)].into_iter().collect();
        for (role, nr, has) in [
            ("", 1, true),
            ("", 2, true),
            ("", 3, false),
            ("billing", 1, true),
            ("billing", 2, false),
            ("Billing", 1, false),
        ] {
            assert_eq!(owned.has(role, Partition::new(nr)), has, "{nr} of `{role}`");
        }
        assert!(!OwnedPartitions::default().has("", Partition::new(1)));
    }
}
