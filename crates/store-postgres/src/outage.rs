use crate::{connection::Connector, fault, session::Session};
use actum_persistence::store::{Cause, StoreError};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// How long a probe waits before it tries to connect again: this, then twice as long each time.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Makes connections, and knows when none can be had.
///
/// A server that is away may refuse at once, or may leave everybody waiting for as long as is allowed. So the first
/// attempt that fails begins an outage: from then on calls fail at once, with the error it got, and a task of its own
/// goes on trying. The connection it gets ends the outage, and serves the caller that comes first.
#[derive(Debug)]
pub(crate) struct Outage {
    connector: Connector,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Why nothing can be had; none while something can.
    cause: Option<Cause>,
    /// What the probe has got.
    found: Option<Session>,
    probe: Option<JoinHandle<()>>,
}

impl Outage {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, state: Arc::default() }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Makes a connection, or fails at once when it is known that none can be had.
    pub(crate) async fn connect(&self, doing: &str) -> Result<Session, StoreError> {
        if let Some(known) = self.known(doing) {
            return known;
        }
        match self.connector.connect().await {
            Ok(session) => Ok(session),
            Err(error) => {
                let cause = Cause::new(fault::cause(error));
                self.begin(cause.clone());
                Err(StoreError::Unavailable { doing: doing.to_owned(), source: cause })
            }
        }
    }

    /// Ends the probe and waits until it has ended.
    pub(crate) async fn close(&self) {
        let (probe, found) = {
            let mut state = lock(&self.state);
            (state.probe.take(), state.found.take())
        };
        drop(found);
        if let Some(probe) = probe {
            probe.abort();
            drop(probe.await); // it was asked to end
        }
    }

    fn known(&self, doing: &str) -> Option<Result<Session, StoreError>> {
        let mut state = lock(&self.state);
        if state.probe.as_ref().is_some_and(JoinHandle::is_finished) {
            // it has got a connection, or its runtime has ended: then the next caller tries for itself
            state.probe = None;
            state.cause = None;
        }
        if let Some(source) = &state.cause {
            let (doing, source) = (doing.to_owned(), source.clone());
            return Some(Err(StoreError::Unavailable { doing, source }));
        }
        let ping_after_idle = self.connector.settings.ping_after_idle;
        state.found.take().filter(|found| found.unused_for() < ping_after_idle).map(Ok)
    }

    fn begin(&self, cause: Cause) {
        let mut state = lock(&self.state);
        if state.cause.is_some() {
            return; // another attempt has failed at the same time
        }
        tracing::warn!(%cause, "no connection to the database, calls fail until there is one");
        state.cause = Some(cause);
        state.probe = Some(tokio::spawn(probe(self.connector.clone(), Arc::clone(&self.state))));
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        if let Some(probe) = lock(&self.state).probe.take() {
            probe.abort();
        }
    }
}

/// Tries to connect until it can.
async fn probe(connector: Connector, state: Arc<Mutex<State>>) {
    let mut pause = PAUSE_MIN;
    loop {
        sleep(pause).await;
        match connector.connect().await {
            Ok(session) => {
                tracing::info!("there are connections to the database again");
                let mut state = lock(&state);
                state.cause = None;
                state.found = Some(session);
                return;
            }
            Err(error) => {
                // what is in the way may change: first no one listens, then the server starts up
                lock(&state).cause = Some(Cause::new(fault::cause(error)));
                pause = (2 * pause).min(PAUSE_MAX);
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // nothing panics while it is held
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
