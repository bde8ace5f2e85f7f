//! Projections, over a journal and a target in memory.

mod bounds;
mod buffering;
pub(crate) mod deliveries;
mod dividing;
mod dividing_steps;
mod dividing_versions;
mod exact;
mod failures;
mod joint_rounds;
mod leases;
mod names;
mod of_states;
pub(crate) mod place;
mod processes;
mod random_processes;
mod random_states;
mod registry;
mod regressed;
pub(crate) mod runner_rig;
mod starting;
mod stopping_here;
mod unknown_saves;
pub(crate) mod version_rig;
mod version_switches;
mod versions;
mod waiting;
