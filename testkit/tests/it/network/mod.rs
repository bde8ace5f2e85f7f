//! The proxy between plain sockets: what passes, and what does not.

mod delays;
mod echo_server;
mod passing;
mod rules;
mod trouble;
