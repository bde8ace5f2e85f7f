use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_test_servers::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, ServerError, available,
};
use std::sync::{Arc, Mutex};

/// A server of one test alone, which may stop, kill and start it.
#[derive(Clone)]
pub(crate) struct PrivateServer {
    pub(crate) url: String,
    server: Arc<Mutex<PostgresServer>>,
}

impl PrivateServer {
    /// Starts one; none where there is no PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        let server = PostgresBinaries::find().and_then(|binaries| {
            PostgresServer::start(&binaries, PostgresServerSettings::default())
        });
        let server = available(server)?;
        Some(Self { url: server.url("postgres"), server: Arc::new(Mutex::new(server)) })
    }

    /// Does something to the server, off the threads of the runtime.
    pub(crate) async fn change(
        &self,
        change: impl FnOnce(&mut PostgresServer) -> Result<(), ServerError> + Send + 'static,
    ) {
        let server = Arc::clone(&self.server);
        let changing = tokio::task::spawn_blocking(move || change(&mut server.lock().unwrap()));
        changing.await.unwrap().unwrap();
    }

    /// Does something with the server.
    pub(crate) fn with<T>(&self, see: impl FnOnce(&PostgresServer) -> T) -> T {
        see(&self.server.lock().unwrap())
    }

    pub(crate) async fn store(&self, settings: PostgresSettings) -> PostgresStore {
        PostgresStore::connect_with(&self.url, settings).await.unwrap()
    }
}
