//! The cluster's parts together.

mod links;
mod over_tcp;
mod recorder;
