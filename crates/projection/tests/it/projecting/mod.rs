//! Projections, over a journal and a target in memory.

mod bounds;
mod deliveries;
mod exact;
mod failures;
mod leases;
mod place;
mod random_processes;
mod regressed;
mod replaced_journal;
mod runner_rig;
mod starting;
mod unknown_saves;
mod waiting;
