//! What every server is made of: a directory, an account to run under, processes, and who ends them.

mod account;
mod free_port;
mod server_home;
mod server_process;
mod watchdog;

pub(crate) use free_port::on_free_port;
pub(crate) use server_home::ServerHome;
pub(crate) use server_process::{Ready, ServerProcess, Signal};
