use actum_persistence::{settings_check::SettingsCheck, store::JournalLayout};
use std::time::Duration;

/// What opening a journal does about migrations that the schema has not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Migrate {
    /// It runs them, in one transaction and under a lock, so that of many programs that start at once one does. Functions
    /// that only save time are added too, to a journal of the newest version only if the user may do that.
    #[default]
    Pending,
    /// It refuses to open a journal that lacks some: they are run by a user with more rights, see
    /// [`migrate`](crate::migrate). The user of the store then needs `USAGE` on the schema, and `SELECT`, `INSERT`,
    /// `UPDATE` and `DELETE` on its tables.
    Never,
}

/// How a [`PostgresStore`](crate::PostgresStore) uses its database. All settings are checked together when it is
/// opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresSettings {
    /// The schema that holds the journal and nothing else; `actum` by default. 1 to 63 letters, digits and underscores
    /// of ASCII, not beginning with a digit or `pg_`. Several journals live in one database in several schemas.
    pub schema: String,
    /// How the journal is divided. It is fixed when the journal is created. `None`, the default, takes a journal as it
    /// is and creates a new one with [`JournalLayout::default`]; `Some` refuses one that is divided otherwise. A store
    /// in PostgreSQL has at most 64 lanes.
    pub layout: Option<JournalLayout>,
    /// What is done about migrations that the schema lacks; [`Migrate::Pending`] by default.
    pub migrate: Migrate,
    /// How many connections are open at the same time; 10 by default, 2 to 1,000 beside one for each lane. Each lane
    /// that is written to keeps one; the others are opened when they are needed, and closed when no one has needed them
    /// for ten minutes. More reads wait. Of a pool that the caller brings, at most this many are taken.
    pub connections_max: u32,
    /// Whether the connections go through a proxy that hands them to another server after each transaction, such as
    /// PgBouncer in its mode `transaction`; false by default. Statements are then not prepared ahead, every call is a
    /// transaction of its own with its timeouts in it, and nothing is asked of the proxy that it could refuse: a call
    /// is four round trips instead of one.
    pub transaction_pooling: bool,
    /// How long to wait for a connection, to be opened or to become free; 3 seconds by default, 1 millisecond to 10
    /// minutes. After that the call fails as unavailable.
    pub connect_timeout: Duration,
    /// How long a statement may take on the server; 5 seconds by default, 10 milliseconds to 10 minutes. After that the
    /// server gives it up, nothing was written, and the call fails as unavailable. A large batch is several statements
    /// of one transaction, of at most 4,000 rows or 4 MiB each, so it may take longer as a whole.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock, within `statement_timeout`; 3 seconds by default, 1 millisecond to 10
    /// minutes. As above.
    pub lock_timeout: Duration,
    /// How long to wait for an answer before the connection is given up as lost; 8 seconds by default, more than
    /// `statement_timeout`, up to 20 minutes. Whether a write was done is then unknown, and found out.
    pub answer_timeout: Duration,
    /// After how long without use a connection is pinged before a call gets it; 1 second by default, at most an hour. The
    /// ping costs a round trip, so that no call ends on a connection that a firewall or a restarted server has forgotten.
    pub ping_after_idle: Duration,
    /// How many entities each lane remembers the key and the head of, so that appending to them needs no look-up;
    /// 200,000 by default, some 25 MB when full, 1,000 to 100 million.
    pub remembered_entities: usize,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            schema: "actum".to_owned(),
            layout: None,
            migrate: Migrate::default(),
            connections_max: 10,
            transaction_pooling: false,
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(8),
            ping_after_idle: Duration::from_secs(1),
            remembered_entities: 200_000,
        }
    }
}

/// The longest name PostgreSQL gives anything, in bytes.
const NAME_BYTES_MAX: usize = 63;
/// More lanes than a server has processors help no one, and each costs a connection.
pub(crate) const LANES_MAX: u16 = 64;

impl PostgresSettings {
    /// Sets [`schema`](Self::schema).
    #[must_use]
    pub fn with_schema(self, schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), ..self }
    }

    /// Sets [`layout`](Self::layout).
    #[must_use]
    pub fn with_layout(self, layout: JournalLayout) -> Self {
        Self { layout: Some(layout), ..self }
    }

    /// Sets [`migrate`](Self::migrate).
    #[must_use]
    pub fn with_migrate(self, migrate: Migrate) -> Self {
        Self { migrate, ..self }
    }

    /// Sets [`connections_max`](Self::connections_max).
    #[must_use]
    pub fn with_connections_max(self, connections_max: u32) -> Self {
        Self { connections_max, ..self }
    }

    /// Sets [`transaction_pooling`](Self::transaction_pooling).
    #[must_use]
    pub fn with_transaction_pooling(self, transaction_pooling: bool) -> Self {
        Self { transaction_pooling, ..self }
    }

    /// Sets [`connect_timeout`](Self::connect_timeout).
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Sets [`statement_timeout`](Self::statement_timeout).
    #[must_use]
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Self {
        Self { statement_timeout, ..self }
    }

    /// Sets [`lock_timeout`](Self::lock_timeout).
    #[must_use]
    pub fn with_lock_timeout(self, lock_timeout: Duration) -> Self {
        Self { lock_timeout, ..self }
    }

    /// Sets [`answer_timeout`](Self::answer_timeout).
    #[must_use]
    pub fn with_answer_timeout(self, answer_timeout: Duration) -> Self {
        Self { answer_timeout, ..self }
    }

    /// Sets [`ping_after_idle`](Self::ping_after_idle).
    #[must_use]
    pub fn with_ping_after_idle(self, ping_after_idle: Duration) -> Self {
        Self { ping_after_idle, ..self }
    }

    /// Sets [`remembered_entities`](Self::remembered_entities).
    #[must_use]
    pub fn with_remembered_entities(self, remembered_entities: usize) -> Self {
        Self { remembered_entities, ..self }
    }

    /// All that is wrong with these settings, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        check.extend(schema_problem(&self.schema));
        if let Some(layout) = self.layout {
            check.number("layout.lanes", layout.lanes.get(), 1..=LANES_MAX);
        }
        check.number("connections_max", self.connections_max, 2..=1_000);
        let (shortest, longest) = (Duration::from_millis(1), Duration::from_mins(10));
        check.duration("connect_timeout", self.connect_timeout, shortest..=longest);
        check.duration("statement_timeout", self.statement_timeout, 10 * shortest..=longest);
        check.duration("lock_timeout", self.lock_timeout, shortest..=longest);
        let behind = self.statement_timeout.min(longest) + shortest;
        check.duration("answer_timeout", self.answer_timeout, behind..=2 * longest);
        check.duration("ping_after_idle", self.ping_after_idle, ..=6 * longest);
        check.number("remembered_entities", self.remembered_entities, 1_000..=100_000_000);
        check.into_problems()
    }
}

fn schema_problem(schema: &str) -> Option<String> {
    let mut letters = schema.bytes();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    let goes_on = letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let fits = schema.len() <= NAME_BYTES_MAX && !schema.starts_with("pg_");
    (!begins || !goes_on || !fits).then(|| {
        format!(
            "`schema` is `{schema}`, it must be 1 to {NAME_BYTES_MAX} letters, digits and underscores of ASCII, \
             and not begin with a digit or `pg_`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::LaneCount;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(PostgresSettings::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn every_problem_is_listed() {
        let layout =
            JournalLayout { lanes: LaneCount::new(65).unwrap(), ..JournalLayout::default() };
        let settings = PostgresSettings::default()
            .with_schema("my journal")
            .with_layout(layout)
            .with_connections_max(1)
            .with_remembered_entities(1)
            .with_connect_timeout(Duration::ZERO)
            .with_statement_timeout(Duration::from_secs(601))
            .with_lock_timeout(Duration::ZERO)
            .with_ping_after_idle(Duration::from_secs(3601))
            .with_answer_timeout(Duration::from_secs(600));
        let problems = settings.problems();
        for name in [
            "schema",
            "layout.lanes",
            "connections_max",
            "remembered_entities",
            "connect_timeout",
            "statement_timeout",
            "lock_timeout",
            "ping_after_idle",
            "answer_timeout",
        ] {
            let named =
                problems.iter().filter(|problem| problem.contains(&format!("`{name}`"))).count();
            assert_eq!(named, 1, "{name}: {problems:#?}");
        }
    }

    #[test]
    fn a_name_that_would_have_to_be_quoted_is_no_schema() {
        for good in ["a", "_", "bank", "Bank_2", &"x".repeat(63)] {
            assert_eq!(schema_problem(good), None, "{good}");
        }
        for bad in ["", "2", "pg_bank", "a-b", "a b", "a\"b", "a@b", "bänk", &"x".repeat(64)] {
            assert!(schema_problem(bad).is_some(), "{bad}");
        }
    }
}
