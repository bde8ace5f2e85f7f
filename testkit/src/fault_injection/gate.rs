use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// Holds calls back until a test lets them go; a test waits for calls to arrive, never for time to pass.
///
/// # Examples
/// ```
/// # use actum_testkit::Gate;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let gate = Gate::closed();
/// let passing = gate.clone();
/// let call = tokio::spawn(async move { passing.pass().await });
/// gate.held(1).await;
/// assert!(!call.is_finished());
/// gate.open();
/// call.await.unwrap();
/// # });
/// ```
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug)]
struct State {
    open: bool,
    held: usize,
}

impl Gate {
    /// A gate that lets nothing pass yet.
    #[must_use]
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(State { open: false, held: 0 })))
    }

    /// Lets go what is held, and everything that comes later.
    pub fn open(&self) {
        self.0.send_modify(|state| state.open = true);
    }

    /// Holds back what comes from now on.
    pub fn close(&self) {
        self.0.send_modify(|state| state.open = false);
    }

    /// Waits until at least `count` calls are held at once.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn held(&self, count: usize) {
        let mut states = self.0.subscribe();
        let _ = states.wait_for(|state| state.held >= count).await;
    }

    /// How many calls are held now.
    #[must_use]
    pub fn held_now(&self) -> usize {
        self.0.borrow().held
    }

    /// Passes, once the gate is open.
    ///
    /// # Cancel safety
    /// Dropping the future takes the call away from the gate.
    pub async fn pass(&self) {
        let _held = Held::at(self);
        let mut states = self.0.subscribe();
        let _ = states.wait_for(|state| state.open).await;
    }
}

/// Counts a call as held for as long as it is.
struct Held<'a>(&'a Gate);

impl<'a> Held<'a> {
    fn at(gate: &'a Gate) -> Self {
        gate.0.send_modify(|state| state.held += 1);
        Self(gate)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.held -= 1);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { open, held } = *self.0.borrow();
        f.debug_struct("Gate").field("open", &open).field("held", &held).finish()
    }
}
