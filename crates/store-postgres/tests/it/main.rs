//! The store through its public API, on a real server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod appends;
mod black_hole;
mod bounded;
mod claims;
mod closing;
mod crossings;
mod crowd;
mod crowd_reader;
mod cut_groups;
mod cut_pieces;
mod cuts;
mod damage;
mod database;
mod defaults;
mod faults;
mod fixture;
mod foreign_session;
mod foreign_transactions;
mod gate;
mod golden;
mod golden_members;
mod guarded;
mod held;
mod load;
mod locks;
mod logins;
mod lost_history;
mod messages;
mod older_programs;
mod opening;
mod pages;
mod pgbouncer;
mod pools;
mod private;
mod progress;
mod proxied;
mod reader;
mod relay;
mod restarts;
mod revokes;
mod sample;
mod secrets;
mod shortcuts;
mod starting;
mod states;
mod turns;
mod two_nodes;
mod writer;

mod conformance {
    use crate::fixture::PostgresFixture;

    actum_testkit::store_conformance!(PostgresFixture::create);
}

/// The same, with as few connections and as little memory as the settings allow, and with a ping of every connection.
mod conformance_when_cramped {
    use crate::fixture::PostgresFixture;

    actum_testkit::store_conformance!(PostgresFixture::create_cramped);
}

/// The same, with no statement prepared and every call a transaction.
mod conformance_when_pooled {
    use crate::fixture::PostgresFixture;

    actum_testkit::store_conformance!(PostgresFixture::create_unprepared);
}

/// The same, without the functions that save time.
mod conformance_without_shortcuts {
    use crate::fixture::PostgresFixture;

    actum_testkit::store_conformance!(PostgresFixture::create_without_shortcuts);
}

mod subscriptions {
    use crate::fixture::PostgresFixture;

    actum_testkit::subscription_conformance!(PostgresFixture::create);
}

mod projections {
    use crate::fixture::PostgresFixture;

    actum_testkit::projection_conformance!(PostgresFixture::create);
}
