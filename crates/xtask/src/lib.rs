//! What the workspace asks of itself: the tests and the checks behind `cargo xtask`.
//!
//! The rules about manifests and sources ([`arrows`], [`circles`], [`layers`], [`sources`], [`twins`], [`type_names`]) are
//! tests of this crate, so that `cargo xtask test` holds them too; what takes a compiler or a network is a step of [`ci`].

pub mod arrows;
pub mod bank_smoke;
pub mod ci;
pub mod circles;
pub mod deny;
pub mod features;
pub mod http;
pub mod layers;
pub mod lock_file;
pub mod package_manager;
pub mod packages;
pub mod process;
pub mod servers;
pub mod sources;
pub mod suite;
pub mod timeline;
pub mod toolchain;
pub mod twins;
pub mod type_names;
pub mod use_paths;
pub mod workspace;
