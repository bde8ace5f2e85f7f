use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, MEMBERS_MAX, MemberRow, NewMember, OwnerClaim,
        OwnerRow, RolePartition, TableVersion,
    },
    progress::Epoch,
    store::{HeldLease, Incarnation, Renewal},
};
use bytes::Bytes;
use std::collections::BTreeMap;

/// The members of a cluster, and who owns what.
#[derive(Default)]
pub(crate) struct Members {
    /// None before the first one has joined.
    terms: Option<ClusterTerms>,
    version: u64,
    members: BTreeMap<Incarnation, MemberRow>,
    owners: BTreeMap<RolePartition, Owner>,
}

#[derive(Clone, Copy, Default)]
struct Owner {
    owner: Option<Incarnation>,
    epoch: Epoch,
}

impl Members {
    pub(crate) fn is_member(&self, incarnation: Incarnation) -> bool {
        self.members.contains_key(&incarnation)
    }

    pub(crate) fn join(
        &mut self,
        terms: &ClusterTerms,
        member: &NewMember,
        renewal: Renewal,
    ) -> Result<(), JoinError> {
        let others = self.members.keys().filter(|other| **other != member.incarnation).count();
        match &self.terms {
            Some(theirs) if others > 0 && theirs != terms => {
                let (ours, theirs) = (terms.clone(), theirs.clone());
                return Err(JoinError::Disagrees { ours, theirs });
            }
            _ if others >= MEMBERS_MAX => return Err(JoinError::Full { members: others }),
            _ => {}
        }
        self.terms = Some(terms.clone());
        let NewMember { incarnation, name, description } = member.clone();
        let row = MemberRow::new(incarnation, name, description, renewal);
        self.members.insert(incarnation, row);
        self.version += 1;
        Ok(())
    }

    /// None before the first member has joined.
    pub(crate) fn sight(&self, seen: TableVersion) -> Option<ClusterSight> {
        let terms = self.terms.clone()?;
        let version = TableVersion::new(self.version);
        let members = self.members.values().cloned().collect();
        let owners = (version != seen).then(|| self.owners.keys().map(|of| self.row(of)).collect());
        Some(ClusterSight::new(version, terms, members, owners))
    }

    /// The last renewal of a member.
    pub(crate) fn renewal(&self, member: Incarnation) -> Option<Renewal> {
        self.members.get(&member).map(|row| row.renewal)
    }

    /// How long a member relies on its last renewal, as others see it: by no clock but their own.
    pub(crate) fn lease_of(&self, member: Incarnation) -> Option<HeldLease> {
        let lease = self.terms.as_ref()?.lease;
        Some(HeldLease::new(self.renewal(member)?, Some(lease), lease))
    }

    /// False if it is no member.
    pub(crate) fn renew(&mut self, member: Incarnation, renewal: Renewal, note: Bytes) -> bool {
        let Some(row) = self.members.get_mut(&member) else { return false };
        (row.renewal, row.note) = (renewal, note);
        true
    }

    pub(crate) fn claim(&mut self, member: Incarnation, claims: &[OwnerClaim]) -> Vec<OwnerRow> {
        self.change(
            claims.iter().map(|claim| &claim.of),
            |nr, owner| owner.owner.is_none() && owner.epoch == claims[nr].seen,
            Some(member),
        )
    }

    pub(crate) fn release(
        &mut self,
        member: Incarnation,
        partitions: &[RolePartition],
    ) -> Vec<OwnerRow> {
        self.change(partitions.iter(), |_, owner| owner.owner == Some(member), None)
    }

    /// Gives an `owner` to those for which `may_change` holds; returns all of them.
    fn change<'a>(
        &mut self,
        all: impl Iterator<Item = &'a RolePartition> + Clone,
        may_change: impl Fn(usize, Owner) -> bool,
        owner: Option<Incarnation>,
    ) -> Vec<OwnerRow> {
        let mut has_changed = false;
        for (nr, of) in all.clone().enumerate() {
            let now = self.owners.get(of).copied().unwrap_or_default();
            if may_change(nr, now) {
                self.owners.insert(of.clone(), Owner { owner, epoch: now.epoch.next() });
                has_changed = true;
            }
        }
        self.version += u64::from(has_changed);
        all.map(|of| self.row(of)).collect()
    }

    /// Who owns a partition, if anyone does.
    pub(crate) fn owner(&self, of: &RolePartition) -> Option<Incarnation> {
        self.owners.get(of)?.owner
    }

    /// Removes a member, and frees what it owns.
    pub(crate) fn end(&mut self, member: Incarnation) {
        if self.members.remove(&member).is_none() {
            return;
        }
        self.version += 1;
        let owned = self.owners.values_mut().filter(|owner| owner.owner == Some(member));
        owned.for_each(|owner| *owner = Owner { owner: None, epoch: owner.epoch.next() });
    }

    fn row(&self, of: &RolePartition) -> OwnerRow {
        let Owner { owner, epoch } = self.owners.get(of).copied().unwrap_or_default();
        OwnerRow::new(of.clone(), owner, epoch)
    }
}
