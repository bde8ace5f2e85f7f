//! The store through its public API, and through the file it keeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod appends;
mod checkpoints;
mod child;
mod claims;
mod closing;
#[cfg(target_os = "linux")]
mod copies;
mod damage;
mod faults;
mod fixture;
mod golden;
mod golden_members;
#[cfg(unix)]
mod lost_files;
mod messages;
mod older_programs;
mod opening;
mod processes;
mod progress;
mod sample;
#[cfg(target_os = "linux")]
mod small_volume;

mod conformance {
    use crate::fixture::SqliteFixture;

    actum_testkit::store_conformance!(SqliteFixture::create);
}

/// The same, with as little memory and as few connections as the settings allow, so that every cache overflows.
mod conformance_when_cramped {
    use crate::fixture::SqliteFixture;

    actum_testkit::store_conformance!(SqliteFixture::create_cramped);
}

mod subscriptions {
    use crate::fixture::SqliteFixture;

    actum_testkit::subscription_conformance!(SqliteFixture::create);
}

mod projections {
    use crate::fixture::SqliteFixture;

    actum_testkit::projection_conformance!(SqliteFixture::create);
}
