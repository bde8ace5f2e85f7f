//! The store through its public API, and through the file it keeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fixture;

mod conformance {
    use crate::fixture::SqliteFixture;

    actum_testkit::store_conformance!(SqliteFixture::create);
}
