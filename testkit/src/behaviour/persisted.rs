use super::rules::Rules;
use actum_model::{DurableState, Entity, EventSourced};
use std::fmt::Debug;

/// The state is folded from events.
#[derive(Debug)]
pub enum ByEvents {}

/// The state is stored whole.
#[derive(Debug)]
pub enum ByState {}

/// An entity of either persistence model, with all that a test wants to show of it. `How` is inferred, never written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be tested yet: it is neither event-sourced nor durable state, or not `Debug`",
    note = "implement `EventSourced` or `DurableState` for it, and derive `Debug` for it and its events"
)]
pub trait Persisted<How>: Entity<Event: Debug> + Debug {
    /// What is checked of it, and how it takes an event.
    #[doc(hidden)]
    fn rules() -> Rules<Self>;
}

impl<E: EventSourced + Entity<Event: Debug> + Debug> Persisted<ByEvents> for E {
    fn rules() -> Rules<Self> {
        Rules::new(E::apply)
    }
}

impl<E: DurableState + Debug> Persisted<ByState> for E {
    fn rules() -> Rules<Self> {
        Rules::new(|_, never| match *never {}).with_codec()
    }
}
