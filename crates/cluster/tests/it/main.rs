//! The cluster's parts together.

mod links;
mod recorder;
