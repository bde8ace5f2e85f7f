//! What placement promises, over its public API.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod assignment;
mod cluster;
mod failing;
mod moving;
mod rollouts;
mod seed;
mod special_cases;
