use super::ObservedMember;
use actum_persistence::store::{Incarnation, SeenHolder};
use std::{collections::BTreeMap, time::Duration};

/// The member table as it was read last, and since when each renewal is known.
#[derive(Clone, Debug, Default)]
pub(super) struct SeenMembers {
    members: BTreeMap<Incarnation, SeenMember>,
    last: Option<TableRead>,
}

/// A member, as it was read last.
#[derive(Clone, Debug)]
pub(super) struct SeenMember {
    pub(super) row: ObservedMember,
    /// When its renewal was seen first: when the answer was there, so the renewal itself is older.
    pub(super) since: Duration,
}

/// One read of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableRead {
    /// When it was begun: what it shows is not older.
    pub(super) asked: Duration,
    /// When the answer was there.
    pub(super) answered: Duration,
}

impl SeenMembers {
    /// Takes in the rows that a read has returned.
    pub(super) fn read(&mut self, rows: &[ObservedMember], read: TableRead) {
        let mut before = std::mem::take(&mut self.members);
        for row in rows {
            let SeenHolder { incarnation, renewal } = row.holder;
            let known = before.remove(&incarnation).filter(|m| m.row.holder.renewal == renewal);
            let since = known.map_or(read.answered, |member| member.since);
            self.members.insert(incarnation, SeenMember { row: row.clone(), since });
        }
        self.last = Some(read);
    }

    /// The last read.
    pub(super) fn last(&self) -> Option<TableRead> {
        self.last
    }

    pub(super) fn get(&self, member: Incarnation) -> Option<&SeenMember> {
        self.members.get(&member)
    }

    /// All members, in the order of their incarnations.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SeenMember> {
        self.members.values()
    }

    /// For how long a renewal is known not to have changed: up to when the last read was begun.
    pub(super) fn unchanged(&self, member: &SeenMember) -> Duration {
        self.last.map_or(Duration::ZERO, |last| last.asked.saturating_sub(member.since))
    }
}

impl SeenMember {
    pub(super) fn incarnation(&self) -> Incarnation {
        self.row.holder.incarnation
    }

    /// Whether it suspects a member that has not renewed since.
    pub(super) fn suspects(&self, holder: SeenHolder) -> bool {
        self.row.suspects.contains(&holder)
    }
}
