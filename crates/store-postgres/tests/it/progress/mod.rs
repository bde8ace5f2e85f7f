//! The progress of projections, and transactions that commit it with rows.

mod behind_proxy;
mod broken;
mod exact;
mod fixture;
mod leftovers;
mod outages;
mod renewing;
mod sample;
mod tables;
mod unavailable;

mod conformance {
    use super::fixture::TargetFixture;

    actum_testkit::progress_conformance!(TargetFixture::create);
}

/// The same, with no statement prepared and every call a transaction.
mod conformance_when_pooled {
    use super::fixture::TargetFixture;

    actum_testkit::progress_conformance!(TargetFixture::create_unprepared);
}

/// The same, with connections of a pool that others use too.
mod conformance_on_a_pool {
    use super::fixture::TargetFixture;

    actum_testkit::progress_conformance!(TargetFixture::create_on_pool);
}

mod conformance_of_exact_targets {
    use super::fixture::TargetFixture;

    actum_testkit::exact_target_conformance!(TargetFixture::create_with_rows);
}

/// The same, with connections of a pool that others use too.
mod conformance_of_exact_targets_on_a_pool {
    use super::fixture::TargetFixture;

    actum_testkit::exact_target_conformance!(TargetFixture::create_on_pool_with_rows);
}
