//! PgBouncer, the transaction-pooling proxy.

mod pgbouncer_proxy;
mod program;
mod settings;

pub use pgbouncer_proxy::PgBouncer;
pub use program::PgBouncerProgram;
pub use settings::PgBouncerSettings;
