//! The store through its public API.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fixture;
mod places;
mod progress_fixture;
mod rows;

mod conformance {
    use crate::fixture::MemoryFixture;

    actum_testkit::store_conformance!(MemoryFixture::create);
}

/// Events in one store and snapshots in another: recovery reads them one after the other.
mod conformance_of_separate_stores {
    use crate::fixture::SeparateFixture;

    actum_testkit::store_conformance!(SeparateFixture::create);
}

mod progress {
    use crate::progress_fixture::TargetFixture;

    actum_testkit::progress_conformance!(TargetFixture::create);
}

mod exact_target {
    use crate::progress_fixture::TargetFixture;

    actum_testkit::exact_target_conformance!(TargetFixture::create);
}

mod subscriptions {
    use crate::fixture::MemoryFixture;

    actum_testkit::subscription_conformance!(MemoryFixture::create);
}

mod projections {
    use crate::fixture::MemoryFixture;

    actum_testkit::projection_conformance!(MemoryFixture::create);
}
