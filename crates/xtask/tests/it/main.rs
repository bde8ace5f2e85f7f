//! The rules of the workspace, and the tasks' own parts.
#![cfg(test)]

mod arrows;
mod http;
mod layers;
mod lock_file;
mod manifests;
mod process;
mod sources;
mod suite;
mod timeline;
mod toolchain;
mod workspaces;
