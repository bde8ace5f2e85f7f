use crate::{fixture::PostgresFixture, foreign_session::ForeignSession};

/// The lock that commits wait for while the gate is shut.
const LOCK: &str = "pg_advisory_lock(hashtext('gate of @'))";

/// Holds back transactions of a journal right before they commit, all of their work done and their locks held.
pub(crate) struct Gate(ForeignSession);

impl Gate {
    /// Builds one into the tables that are written to; it is open.
    pub(crate) async fn build(journal: &PostgresFixture) -> Self {
        journal.store().await.close().await; // there is a journal
        let mut foreign = ForeignSession::beside(journal).await;
        let wait = LOCK.replace("advisory_lock", "advisory_xact_lock_shared");
        let function = format!(
            "CREATE FUNCTION @gate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM {wait}; RETURN NULL; END
            $$"
        );
        foreign.run(&function).await;
        for table in ["events", "states"] {
            let trigger = format!(
                "CREATE CONSTRAINT TRIGGER gate AFTER INSERT OR UPDATE OR DELETE ON @{table}
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @gate()"
            );
            foreign.run(&trigger).await;
        }
        Self(foreign)
    }

    pub(crate) async fn shut(&mut self) {
        self.0.run(&format!("SELECT {LOCK}")).await;
    }

    /// Waits until so many transactions, or who waits for them, are held back.
    pub(crate) async fn holds(&mut self, transactions: i64) {
        self.0.is_waited_for(transactions).await;
    }

    pub(crate) async fn open(&mut self) {
        self.0.run(&format!("SELECT {}", LOCK.replace("_lock", "_unlock"))).await;
    }
}
