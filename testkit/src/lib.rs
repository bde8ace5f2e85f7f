//! Tests of behaviours and of stores.

mod behaviour;
pub mod conformance;

pub use behaviour::{
    ByEvents, ByState, DefaultEnv, EnvOf, Given, GivenEnv, Persisted, Step, Verdict,
};
