use actum_persistence::store::{Incarnation, Renewal, SeenHolder};
use actum_placement::failure::ObservedMember;
use std::collections::BTreeMap;

/// The member table, as a database keeps it, and what no member can know.
#[derive(Default)]
pub(super) struct MemberTable {
    pub(super) rows: BTreeMap<u64, Row>,
    renewals: i64,
}

pub(super) struct Row {
    pub(super) renewal: Renewal,
    pub(super) is_leaving: bool,
    pub(super) suspects: Vec<SeenHolder>,
    /// When it has renewed last, in true time.
    pub(super) renewed: u64,
    /// Since when it renews without a gap of a lease.
    pub(super) steady_since: u64,
}

impl MemberTable {
    pub(super) fn join(&mut self, nr: u64, time: u64) {
        let row = Row {
            renewal: Renewal::new(0),
            is_leaving: false,
            suspects: Vec::new(),
            renewed: time,
            steady_since: time,
        };
        self.rows.insert(nr, row);
    }

    /// Whether it was a member.
    pub(super) fn renew(
        &mut self,
        nr: u64,
        suspects: Vec<SeenHolder>,
        time: u64,
        lease: u64,
    ) -> bool {
        self.renewals += 1;
        let Some(row) = self.rows.get_mut(&nr) else { return false };
        if time - row.renewed >= lease {
            row.steady_since = time;
        }
        (row.renewal, row.suspects, row.renewed) = (Renewal::new(self.renewals), suspects, time);
        true
    }

    /// Removes a member that has not renewed since it was seen.
    pub(super) fn revoke(&mut self, seen: SeenHolder) -> Option<Row> {
        let nr = seen.incarnation.get();
        self.rows.get(&nr).filter(|row| row.renewal == seen.renewal)?;
        self.rows.remove(&nr)
    }

    pub(super) fn read(&self) -> Vec<ObservedMember> {
        let rows = self.rows.iter().map(|(nr, row)| {
            let holder = SeenHolder { incarnation: Incarnation::new(*nr), renewal: row.renewal };
            ObservedMember { holder, is_leaving: row.is_leaving, suspects: row.suspects.clone() }
        });
        rows.collect()
    }
}
