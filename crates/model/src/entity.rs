use crate::{Codec, CodecError, CommandSet, EntityId, Payload};

/// An addressable thing with private state that handles one command at a time.
///
/// A type that implements this is the state of one entity. It also implements [`EventSourced`] or [`DurableState`],
/// and one [`Handle`](crate::Handle) for each command it lists.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    note = "implement `actum::Entity` for it, and `EventSourced` or `DurableState`"
)]
pub trait Entity: Sized + Send + Sync + 'static {
    /// The name of this kind of entity: 1 to 64 bytes without NUL. It is stored with every event: stable for ever.
    const KIND: &'static str;
    /// What names one entity among its kind.
    type Id: EntityId;
    /// What handlers need from outside, given once when the engine is built: policies, a clock, a source of ids; `()`
    /// if nothing.
    ///
    /// A handler may run twice for one command, for example after an append that failed, and later than the first time.
    /// So it may read a clock or take an id from its environment to put it into an event, but must not depend on *when*
    /// it runs, nor change anything through its environment. It does no I/O there either: what has to be looked up is
    /// looked up before the command is sent, and is part of it.
    ///
    /// The engine owns the environment. One that owns an engine in turn, for example to reach other entities, keeps that
    /// engine running for ever: its last clone is never dropped. It has to be shut down explicitly.
    type Env: Send + Sync + 'static;
    /// What happens to the entity; [`NoEvents`] for durable state.
    type Event: Payload + Clone;
    /// The commands it handles, as a tuple such as `(Open, Deposit)`.
    type Commands: CommandSet<Self>;

    /// The state before anything happened to the entity `id`.
    fn initial(id: &Self::Id) -> Self;
}

/// An entity whose state is folded from its events.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not event-sourced",
    label = "only for an event-sourced entity",
    note = "a durable-state entity returns `Effect::replace(new_state)` or `Effect::delete()`, and has no events",
    note = "to make it event-sourced, add `impl EventSourced for {Self} {{ fn apply(&mut self, event: &Self::Event) {{ … }} }}`"
)]
pub trait EventSourced: Entity {
    /// Takes one event into the state.
    ///
    /// It must not fail, and must be deterministic: it runs when the event is first produced and at every recovery.
    fn apply(&mut self, event: &Self::Event);
}

/// An entity whose state is stored whole, one row an entity, without events.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable-state entity",
    label = "only for a durable-state entity",
    note = "an event-sourced entity returns `Effect::persist(event)`, and changes in `apply`",
    note = "to make it a durable-state entity, add `impl DurableState for {Self} {{}}`; its `Event` is `NoEvents`, and it needs `impl Payload`"
)]
pub trait DurableState: Entity<Event = NoEvents> + Payload {}

/// The events of an entity that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEvents {}

/// The codec of [`NoEvents`]: there is nothing to encode, and nothing decodes.
#[derive(Debug)]
pub enum Never {}

#[diagnostic::do_not_recommend]
impl Codec<NoEvents> for Never {
    const NAME: &'static str = "none";
    fn encode(value: &NoEvents, _: &mut Vec<u8>) -> Result<(), CodecError> {
        match *value {}
    }
    fn decode(_: &[u8]) -> Result<NoEvents, CodecError> {
        Err(CodecError::new("an entity without events cannot have stored one"))
    }
}

#[diagnostic::do_not_recommend]
impl Payload for NoEvents {
    type Codec = Never;
    const MANIFEST: &'static str = "none";
}
