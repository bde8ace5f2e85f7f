use crate::{
    lease_clock::{ClockStep, LeaseClock, LeaseTime},
    members::Members,
};
use actum_model::Partition;
use actum_persistence::{
    members::{
        ClusterSight, ClusterTerms, JoinError, MemberRenewal, NewMember, RolePartition,
        TableVersion, node_slot,
    },
    store::{ClaimError, HeldLease, Incarnation, Renewal, SeenHolder, StoreError, WriterClaim},
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Who may write: the incarnations that are not revoked, at most one a slot.
#[derive(Default)]
pub(crate) struct Writers {
    last: u64,
    renewals: i64,
    holders: HashMap<Incarnation, Holder>,
    clock: LeaseClock,
    members: Members,
}

struct Holder {
    slot: String,
    name: String,
    renewal: Renewal,
    /// As it was claimed.
    lease: Duration,
    lease_ends: LeaseTime,
}

impl Writers {
    /// Fails unless `incarnation` may write.
    pub(crate) fn check(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        if self.holders.contains_key(&incarnation) {
            return Ok(());
        }
        Err(StoreError::Fenced { incarnation })
    }

    /// Lets the clock of the leases step.
    pub(crate) fn step_clock(&mut self, step: ClockStep) {
        self.clock.step(step);
    }

    pub(crate) fn claim(&mut self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        let is_seen = |named: &SeenHolder| {
            let mut keepers = self.keepers(claim);
            keepers.any(|(incarnation, lease)| *named == seen(incarnation, lease))
        };
        if let Some(named) = claim.replaces.filter(is_seen) {
            self.revoke(named.incarnation);
        }
        let keeper = self.keepers(claim).min_by_key(|(incarnation, _)| *incarnation);
        if let Some((incarnation, lease)) = keeper {
            return Err(self.holders[&incarnation].keeps_out(incarnation, lease));
        }
        self.last += 1;
        let incarnation = Incarnation::new(self.last);
        let holder = Holder {
            slot: claim.slot.clone(),
            name: claim.holder.clone(),
            renewal: self.next_renewal(),
            lease: claim.lease,
            lease_ends: self.clock.after(claim.lease),
        };
        self.holders.insert(incarnation, holder);
        Ok(incarnation)
    }

    pub(crate) fn renew(
        &mut self,
        incarnation: Incarnation,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let (renewal, lease_ends) = (self.next_renewal(), self.clock.after(lease));
        let holder = self.holders.get_mut(&incarnation);
        let holder = holder.ok_or(StoreError::Fenced { incarnation })?;
        holder.renewal = renewal;
        holder.lease_ends = lease_ends;
        Ok(())
    }

    pub(crate) fn revoke(&mut self, incarnation: Incarnation) {
        self.holders.remove(&incarnation);
        self.members.end(incarnation);
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// Says whether `incarnation` owns a partition in a role.
    pub(crate) fn owner_of(
        &self,
        incarnation: Incarnation,
    ) -> impl Fn(&Arc<str>, Partition) -> bool {
        move |role, partition| {
            let of = RolePartition { role: Arc::clone(role), partition };
            self.members.owner(&of) == Some(incarnation)
        }
    }

    /// The members, to be changed in the name of one of them.
    pub(crate) fn as_member(
        &mut self,
        incarnation: Incarnation,
    ) -> Result<&mut Members, StoreError> {
        if self.members.is_member(incarnation) {
            return Ok(&mut self.members);
        }
        Err(StoreError::Fenced { incarnation })
    }

    pub(crate) fn join(
        &mut self,
        terms: &ClusterTerms,
        member: &NewMember,
    ) -> Result<ClusterSight, JoinError> {
        let incarnation = member.incarnation;
        let holder = self.holders.get(&incarnation);
        let holder = holder.filter(|holder| holder.slot == node_slot(&member.name));
        if holder.is_none() {
            return Err(StoreError::Fenced { incarnation }.into());
        }
        let renewal = self.next_renewal();
        self.members.join(terms, member, renewal)?;
        Ok(self.sight(TableVersion::ZERO))
    }

    pub(crate) fn renew_member(
        &mut self,
        renewal: &MemberRenewal,
    ) -> Result<ClusterSight, StoreError> {
        let incarnation = renewal.incarnation;
        let mark = self.next_renewal();
        if !self.members.renew(incarnation, mark, renewal.note.clone()) {
            return Err(StoreError::Fenced { incarnation });
        }
        Ok(self.sight(renewal.seen))
    }

    /// What is kept when someone has joined.
    fn sight(&self, seen: TableVersion) -> ClusterSight {
        self.members.sight(seen).expect("a cluster that was joined has terms")
    }

    fn next_renewal(&mut self) -> Renewal {
        self.renewals += 1;
        Renewal::new(self.renewals)
    }

    /// Who keeps a claimant out, and with what lease.
    fn keepers(&self, claim: &WriterClaim) -> impl Iterator<Item = (Incarnation, HeldLease)> {
        let (rivals, now) = (claim.rival_slots(), self.clock.now());
        self.holders.iter().filter_map(move |(&incarnation, holder)| {
            if holder.slot == claim.slot {
                return Some((incarnation, holder.lease_at(now)));
            }
            let membership = self.members.lease_of(incarnation);
            let lease = membership.unwrap_or_else(|| holder.lease_at(now));
            rivals.contains(&holder.slot.as_str()).then_some((incarnation, lease))
        })
    }
}

impl Holder {
    fn lease_at(&self, now: LeaseTime) -> HeldLease {
        HeldLease::new(self.renewal, Some(self.lease), self.lease_ends.since(now))
    }

    fn keeps_out(&self, incarnation: Incarnation, lease: HeldLease) -> ClaimError {
        let (slot, holder) = (self.slot.clone(), self.name.clone());
        ClaimError::Held { slot, holder, incarnation, lease: Some(lease) }
    }
}

fn seen(incarnation: Incarnation, lease: HeldLease) -> SeenHolder {
    SeenHolder { incarnation, renewal: lease.renewal }
}
