//! The messages Actum stores and sends, as Rust types.
//!
//! The schemas are the files under `proto/` at the root of the repository; the types in `src/gen` are generated from
//! them and checked in, so building needs neither `protoc` nor a build script. A test regenerates them and fails on a
//! difference; after a change of a schema, run it with `ACTUM_BLESS=1` and commit what it writes.

/// `actum.storage`: what is stored beside payloads.
pub mod storage {
    /// `actum.storage.v1`.
    pub mod v1 {
        include!("gen/actum.storage.v1.rs");
    }
}

/// `actum.link`: how nodes of a cluster introduce themselves, and carry messages.
pub mod link {
    /// `actum.link.v1`.
    pub mod v1 {
        include!("gen/actum.link.v1.rs");
    }
}

/// `actum.wire`: what nodes of a cluster send each other.
pub mod wire {
    /// `actum.wire.v1`.
    pub mod v1 {
        include!("gen/actum.wire.v1.rs");
    }
}
