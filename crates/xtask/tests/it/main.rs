//! The rules of the workspace, and the tasks' own parts.
#![cfg(test)]

mod arrows;
mod circles;
mod http;
mod layers;
mod lock_file;
mod manifests;
mod package_manager;
mod packages;
mod process;
mod servers;
mod sources;
mod suite;
mod timeline;
mod toolchain;
mod twins;
mod type_names;
mod workspaces;
