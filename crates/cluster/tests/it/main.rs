//! The cluster's parts together.

mod certificates;
mod links;
mod over_tcp;
mod processes;
mod recorder;
mod secured;
