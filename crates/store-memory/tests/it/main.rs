//! The store through its public API.

mod fixture;

mod conformance {
    use crate::fixture::MemoryFixture;

    actum_testkit::store_conformance!(MemoryFixture::create);
}
