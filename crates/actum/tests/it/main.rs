//! What the facade gives to those who build on it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod builder;
mod busy_handlers;
mod counter;
mod exports;
mod idle;
mod nodes;
mod nothing;
mod other_journals;
mod readers;
mod registered;
mod settings;
mod states;
mod streams;
mod subscribing;
mod subscriptions;
