//! Checks who runs what.

use super::{
    ReadLedger,
    read_ledger::{Holding, LifeOfRunner},
};
use actum_model::{Lane, Partition};
use actum_persistence::progress::{Epoch, Segment, SegmentClaim, StoredSegment};
use actum_reader::share_out::{is_replaced, runner_of};
use std::{sync::Arc, time::Duration};

impl ReadLedger {
    /// A runner begins to live; returns its number.
    pub(super) fn born(&mut self, name: Arc<str>) -> usize {
        self.lives.push(LifeOfRunner { name, renewed: None, has_left: false });
        self.lives.len() - 1
    }

    pub(super) fn renewed(&mut self, life: usize, now: Duration) {
        self.lives[life].renewed = Some(now);
    }

    /// A runner has left in order: what it ran is free.
    pub(super) fn left(&mut self, life: usize) {
        self.lives[life].has_left = true;
        let held = self.holders.values_mut();
        held.filter(|holder| holder.is_some_and(|it| it.life == life)).for_each(|it| *it = None);
    }

    /// A segment was claimed. Returns whether it was taken from another one.
    pub(super) fn claimed(
        &mut self,
        claim: &SegmentClaim,
        claimed: &StoredSegment,
        life: usize,
        now: Duration,
    ) -> bool {
        let epoch = claimed.epoch;
        if self.saved.get(&claimed.segment) != Some(claimed.progress.offset()) {
            let progress = &claimed.progress;
            self.wrong(format!("{} begins at {progress}, which was not saved", claimed.segment));
        }
        for partition in claimed.segment.first().index()..=claimed.segment.last().index() {
            let before = std::mem::replace(&mut self.epochs[partition], epoch);
            if epoch <= before {
                self.wrong(format!("partition {partition} is claimed in {epoch}, after {before}"));
            }
        }
        let holder = Some(Holding { epoch, life });
        self.holders.insert(claimed.segment, holder);
        let replaced = claim.replaces.as_ref().filter(|owner| *owner.name != *claim.runner);
        if let Some(replaced) = replaced {
            self.taken_from(&replaced.name, &claim.runner, now);
        }
        replaced.is_some()
    }

    /// What a runner has was taken from it: it does not live, or has not renewed for a lease.
    pub(super) fn taken_from(&mut self, owner: &str, by: &str, now: Duration) {
        let Some(life) = self.lives.iter().rev().find(|life| *life.name == *owner) else {
            return self.wrong(format!("{owner} was never there, and is replaced"));
        };
        let is_silent = life.renewed.is_none_or(|renewed| renewed + self.scene.lease <= now);
        // the next life of a process removes the former one, so that others see it gone as well, and ends what that divided
        let is_older = self.lives.iter().any(|life| is_replaced(runner_of(owner), &life.name));
        if !(is_silent || is_older || life.has_left) {
            let renewed = life.renewed;
            self.wrong(format!("{by} replaces {owner} at {now:?}, renewed {renewed:?}"));
        }
    }

    /// Segments were replaced: each partition is where it was, and no one runs it.
    pub(super) fn divided(&mut self, seen: &[(Segment, Epoch)], into: &[StoredSegment]) {
        for (segment, _) in seen {
            if let Some(holder) = self.holders.remove(segment).flatten() {
                self.wrong(format!("{segment} is divided, and held by {holder:?}"));
            }
        }
        for new in into {
            for partition in new.segment.first().nr()..=new.segment.last().nr() {
                let partition = Partition::new(partition);
                let lane = Lane::of_partition(partition, self.scene.layout.lanes);
                let old = self.saved.iter().find(|(segment, _)| segment.contains(partition));
                let was = old.map(|(_, saved)| saved.position(lane));
                let is = new.progress.offset().position(lane);
                if was != Some(is) {
                    self.wrong(format!("partition {partition} was at {was:?}, divided at {is}"));
                }
            }
        }
        self.saved.retain(|segment, _| !seen.iter().any(|(seen, _)| seen == segment));
        let new = into.iter().map(|new| (new.segment, new.progress.offset().clone()));
        self.saved.extend(new);
    }

    /// A segment was given back.
    pub(super) fn freed(&mut self, segment: Segment) {
        self.holders.insert(segment, None);
    }
}
