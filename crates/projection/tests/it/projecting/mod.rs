//! Projections, over a journal and a target in memory.

mod exact;
mod failures;
mod place;
mod runner_rig;
mod waiting;
