//! A journal keeps the progress of projections in its own database.

use crate::{PostgresStore, PostgresTarget};
use actum_persistence::progress::{ExactTarget, KeepsProgress, ProgressStore};
use std::sync::Arc;

impl PostgresTarget {
    /// The database of a journal, with its settings and the progress that [`KeepsProgress`] has there. Its connections are
    /// others than those of the journal, unless both take them from a pool of the caller.
    #[must_use]
    pub fn of(store: &PostgresStore) -> Self {
        let connector = store.shared.connector();
        let schema = schema_beside(&connector.settings.schema);
        let settings = connector.settings.clone().with_schema(schema);
        Self::of_source(connector.origin().clone(), settings)
    }
}

/// In the journal's database, in a schema that has its name and `_projections` behind it, created by the first call.
impl KeepsProgress for PostgresStore {
    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::clone(self.progress.get_or_init(|| PostgresTarget::of(self).progress()))
    }
}

/// The longest name PostgreSQL gives anything, in bytes.
const NAME_BYTES_MAX: usize = 63;
const SUFFIX: &str = "_projections";

/// The schema for the progress of those that read the journal in the schema `journal`: another one for each.
fn schema_beside(journal: &str) -> String {
    if journal.len() + SUFFIX.len() <= NAME_BYTES_MAX {
        return format!("{journal}{SUFFIX}");
    }
    // FNV-1a, which is the same for ever
    let hash = journal.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    // names of journals are ASCII
    let begin = &journal[..NAME_BYTES_MAX - SUFFIX.len() - 17];
    format!("{begin}_{hash:016x}{SUFFIX}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_journal_has_a_schema_of_its_own_beside() {
        assert_eq!(schema_beside("actum"), "actum_projections");
        let longest = "j".repeat(NAME_BYTES_MAX - SUFFIX.len());
        assert_eq!(schema_beside(&longest), format!("{longest}{SUFFIX}"));
        let long = |end: &str| schema_beside(&format!("{}{end}", "j".repeat(NAME_BYTES_MAX - 1)));
        assert_eq!(long("a"), "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj_2da82a3b9671d2fc_projections");
        assert_eq!(long("a").len(), NAME_BYTES_MAX);
        assert_ne!(long("a"), long("b"));
    }
}
