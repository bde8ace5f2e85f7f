//! The cluster's parts together.

mod account;
mod bad_network;
mod certificates;
mod commands;
mod failures;
mod idle;
mod kinds;
mod links;
mod nodes;
mod over_tcp;
mod processes;
mod recorder;
mod rig;
mod secured;
