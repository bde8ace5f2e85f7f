//! PostgreSQL.

mod binaries;
mod postgres_server;
mod preparation;
mod settings;
mod test_postgres;
mod url;

pub use binaries::PostgresBinaries;
pub use postgres_server::{PostgresServer, StopMode};
pub use settings::PostgresServerSettings;
pub use test_postgres::{TestPostgres, unique_name};
