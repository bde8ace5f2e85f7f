//! The progress of projections, and what is committed with it.

mod broken;
mod exact;
mod files;
mod full;
mod leftovers;
mod sample;
mod together;
mod unavailable;
