//! The cluster's parts together.

mod account;
mod bad_network;
mod certificates;
mod failures;
mod idle;
mod links;
mod nodes;
mod over_tcp;
mod processes;
mod recorder;
mod rig;
mod secured;
