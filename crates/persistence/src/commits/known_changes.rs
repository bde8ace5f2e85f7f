use super::StatesRegress;

/// How many changes of durable states a journal has at least: each write that is committed adds one.
#[derive(Debug, Default)]
pub(super) struct KnownChanges {
    /// How many it had when it was asked last.
    found: u64,
    /// How many it had before anything was committed here; zero once that is not known any more. What is found later tells
    /// nothing of it: writes that are stored may be counted much later, when their outcome was unknown.
    others: u64,
}

impl KnownChanges {
    /// Takes note of how many there are before anything is committed here.
    pub(super) fn begin_behind(&mut self, found: u64) {
        *self = Self { found, others: found };
    }

    /// How many there are at least when so many were committed here.
    pub(super) fn at_least(&self, committed: u64) -> u64 {
        self.found.max(self.others.saturating_add(committed))
    }

    /// Compares what was `known` before the journal was asked with what was found there.
    pub(super) fn compare(&mut self, known: u64, found: u64) -> Option<StatesRegress> {
        self.found = found;
        if found >= known {
            return None;
        }
        self.others = 0; // how many of those that were lost were committed here is not known
        Some(StatesRegress { known, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regress(known: u64, found: u64) -> Option<StatesRegress> {
        Some(StatesRegress { known, found })
    }

    #[test]
    fn a_loss_shows_also_when_as_much_was_written_since() {
        let mut changes = KnownChanges::default();
        changes.begin_behind(10);
        let known = changes.at_least(3);
        assert_eq!((known, changes.compare(known, 13)), (13, None));
        let known = changes.at_least(5); // of which one was lost, with one before it
        assert_eq!((known, changes.compare(known, 13)), (15, regress(15, 13)));
    }

    #[test]
    fn one_loss_is_found_once_and_the_next_one_again() {
        let mut changes = KnownChanges::default();
        changes.begin_behind(10);
        let known = changes.at_least(5);
        assert_eq!(changes.compare(known, 12), regress(15, 12));
        let known = changes.at_least(5);
        assert_eq!((known, changes.compare(known, 12)), (12, None));
        let known = changes.at_least(9);
        assert_eq!((known, changes.compare(known, 16)), (12, None));
        let known = changes.at_least(11);
        assert_eq!((known, changes.compare(known, 15)), (16, regress(16, 15)));
    }

    #[test]
    fn a_write_whose_outcome_is_known_late_is_no_loss() {
        let mut changes = KnownChanges::default();
        for (committed, found) in [(0, 2), (0, 2), (2, 2), (2, 3), (3, 3)] {
            let known = changes.at_least(committed);
            assert_eq!(changes.compare(known, found), None, "{committed} of {found}");
        }
    }

    #[test]
    fn what_others_write_and_what_is_under_way_is_no_loss() {
        let mut changes = KnownChanges::default();
        for (committed, found) in [(0, 2), (2, 3), (3, 9), (9, 9), (9, 20), (12, 23)] {
            let known = changes.at_least(committed);
            assert_eq!(changes.compare(known, found), None, "{committed} of {found}");
        }
    }
}
