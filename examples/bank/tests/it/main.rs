//! The bank, from its rules to its processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod bodies;
mod cluster;
mod connections;
mod crash;
mod failures;
mod greeting;
mod histories;
mod live;
mod load;
mod missing_tables;
mod place;
mod postgres;
mod processes;
mod program;
mod projections;
mod random;
mod refusals;
mod retries;
mod rivals;
mod rules;
mod seed;
mod service;
mod statements;
