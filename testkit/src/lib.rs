//! Tests of behaviours and of stores.

pub mod conformance;
