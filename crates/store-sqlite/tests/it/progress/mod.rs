//! The progress of projections, and what is committed with it.

mod broken;
mod exact;
mod files;
mod fixture;
mod full;
mod golden;
mod handler_turns;
mod leftovers;
mod renewing;
pub(crate) mod sample;
mod together;
mod unavailable;

mod conformance {
    use super::fixture::TargetFixture;

    actum_testkit::progress_conformance!(TargetFixture::own);
}

mod conformance_of_exact {
    use super::fixture::TargetFixture;

    actum_testkit::exact_target_conformance!(TargetFixture::own);
}

/// The same in the file of a journal.
mod conformance_in_a_journal {
    use super::fixture::TargetFixture;

    actum_testkit::progress_conformance!(TargetFixture::of_journal);
}

mod conformance_of_exact_in_a_journal {
    use super::fixture::TargetFixture;

    actum_testkit::exact_target_conformance!(TargetFixture::of_journal);
}
