use super::SessionConnection;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;

/// The connections that have a session, or are about to have one, by their keys.
#[derive(Debug)]
pub(in crate::transport) struct SessionTable {
    connections: Mutex<HashMap<String, Arc<SessionConnection>>>,
    count: watch::Sender<usize>,
}

impl Default for SessionTable {
    fn default() -> Self {
        Self { connections: Mutex::default(), count: watch::Sender::new(0) }
    }
}

impl SessionTable {
    pub(in crate::transport) fn add(&self, connection: Arc<SessionConnection>) {
        let mut connections = self.connections.lock();
        connections.insert(connection.key().to_owned(), connection);
        self.count.send_replace(connections.len());
    }

    pub(super) fn remove(&self, connection: &SessionConnection) {
        let mut connections = self.connections.lock();
        connections.remove(connection.key());
        self.count.send_replace(connections.len());
    }

    pub(super) fn connection(&self, key: &str) -> Option<Arc<SessionConnection>> {
        self.connections.lock().get(key).cloned()
    }

    pub(in crate::transport) fn all(&self) -> Vec<Arc<SessionConnection>> {
        self.connections.lock().values().cloned().collect()
    }

    /// Waits until there is none.
    pub(in crate::transport) async fn is_empty(&self) {
        let mut count = self.count.subscribe();
        // the sender lives as long as the table
        let _ = count.wait_for(|count| *count == 0).await;
    }
}
