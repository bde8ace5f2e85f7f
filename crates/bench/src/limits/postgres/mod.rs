//! What PostgreSQL does without the store: raw statements into the store's own tables, and a naive service.

pub(crate) mod bare_inserts;
mod columns;
mod event_table;
mod inserts;
pub(crate) mod locked_inserts;
pub(crate) mod naive_pool;
pub(crate) mod raw_inserts;
pub(crate) mod raw_pages;
