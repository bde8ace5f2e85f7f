//! The machine, stepped against a model of a journal and of a database, where anything may fail at any moment.

mod database;
mod model_journal;
mod random_runs;
mod replays;
mod world;
