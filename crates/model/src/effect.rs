use crate::{DurableState, Entity, EventSourced, Unanswered};
use std::fmt;

/// What a command changes. Exhaustive on purpose: what stores changes must know every kind of them.
pub enum Change<E: Entity> {
    /// Nothing.
    Nothing,
    /// One event happened.
    Event(E::Event),
    /// Several events happened, in this order; stored all or none. Empty is the same as nothing.
    Events(Vec<E::Event>),
    /// The durable state becomes this one.
    Replace(E),
    /// The durable state is deleted; a tombstone keeps its revision.
    Delete,
}

/// Where a reply comes from.
pub enum ReplyFrom<E, R> {
    /// It is known already.
    Value(R),
    /// It is computed from the state after the change.
    State(Box<dyn FnOnce(&E) -> R + Send>),
}

/// What a handler decided: events or a new state, the reply, and what follows the commit.
///
/// Nothing happens before the runtime has stored the change: the reply is sent, and `after_commit` runs, once every
/// event the command produced or saw is durable.
///
/// # Examples
/// ```
/// # use actum_model::{Ctx, Effect, EventSourced};
/// # trait Account: EventSourced<Event = u64> { fn balance(&self) -> u64; }
/// # fn example<A: Account>(ctx: &Ctx<'_, A>) -> Effect<A, u64> {
/// // in a handler, where the context knows the entity
/// ctx.persist(25u64).reply_with(|account| account.balance())
/// # }
/// # fn sink<A: Account>() -> Effect<A> {
/// // without one, or where nothing has to be inferred
/// Effect::persist(25u64)
/// # }
/// ```
#[must_use = "an effect does nothing until the handler returns it"]
pub struct Effect<E: Entity, R = ()> {
    parts: EffectParts<E, R>,
}

/// An [`Effect`] taken apart, for what runs it. Exhaustive on purpose: what runs it must not overlook a part.
pub struct EffectParts<E: Entity, R> {
    /// What changes.
    pub change: Change<E>,
    /// What the caller gets.
    pub reply: ReplyFrom<E, R>,
    /// What runs in this process once the change is durable; lost if the process dies between the two.
    pub after_commit: Option<Box<dyn FnOnce() + Send>>,
    /// Whether the entity leaves memory once the change is durable.
    pub passivate: bool,
}

impl<E: Entity, R> Effect<E, R>
where
    (): Unanswered<R>,
{
    fn change(change: Change<E>) -> Self {
        let reply = ReplyFrom::Value(<() as Unanswered<R>>::reply());
        Self { parts: EffectParts { change, reply, after_commit: None, passivate: false } }
    }

    /// Changes nothing, for queries and for commands that find nothing to do.
    pub fn none() -> Self {
        Self::change(Change::Nothing)
    }

    /// Stores one event.
    pub fn persist(event: impl Into<E::Event>) -> Self
    where
        E: EventSourced,
    {
        Self::change(Change::Event(event.into()))
    }

    /// Stores events in this order, all or none. No event is the same as [`Effect::none`].
    pub fn persist_all(events: impl IntoIterator<Item = E::Event>) -> Self
    where
        E: EventSourced,
    {
        Self::change(Change::Events(events.into_iter().collect()))
    }

    /// Stores `state` in place of the present one.
    pub fn replace(state: E) -> Self
    where
        E: DurableState,
    {
        Self::change(Change::Replace(state))
    }

    /// Deletes the state: the entity is [`Entity::initial`] again, and its revision goes on counting.
    pub fn delete() -> Self
    where
        E: DurableState,
    {
        Self::change(Change::Delete)
    }
}

impl<E: Entity> Effect<E> {
    /// Answers with `value`.
    pub fn reply<R>(self, value: R) -> Effect<E, R> {
        self.with_reply(ReplyFrom::Value(value))
    }

    /// Answers with what `reply` makes of the state *after* the change.
    ///
    /// The compiler knows the type of the state where the effect was built from the context of a handler, as in
    /// `ctx.persist(event).reply_with(|account| account.balance)`.
    pub fn reply_with<R>(self, reply: impl FnOnce(&E) -> R + Send + 'static) -> Effect<E, R> {
        self.with_reply(ReplyFrom::State(Box::new(reply)))
    }

    fn with_reply<R>(self, reply: ReplyFrom<E, R>) -> Effect<E, R> {
        let EffectParts { change, after_commit, passivate, .. } = self.parts;
        Effect { parts: EffectParts { change, reply, after_commit, passivate } }
    }
}

impl<E: Entity, R> Effect<E, R> {
    /// Runs `action` in this process once the change is durable, before the reply is sent.
    ///
    /// It runs on the turn of the entity's partition, so it must be short, such as sending to a channel. It is lost if
    /// the process dies between the commit and the call; what must happen is derived from the stored events instead. A
    /// second call adds a second action.
    pub fn after_commit(mut self, action: impl FnOnce() + Send + 'static) -> Self {
        self.parts.after_commit = Some(match self.parts.after_commit.take() {
            None => Box::new(action),
            Some(first) => Box::new(move || {
                first();
                action();
            }),
        });
        self
    }

    /// Lets the entity leave memory once the change is durable; the next command recovers it.
    pub fn passivate(mut self) -> Self {
        self.parts.passivate = true;
        self
    }

    /// Takes the effect apart; the runtime and the testkit do this.
    pub fn into_parts(self) -> EffectParts<E, R> {
        self.parts
    }
}

impl<E: Entity> fmt::Debug for Change<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Event(_) => f.write_str("Events(1)"),
            Self::Events(events) => write!(f, "Events({})", events.len()),
            Self::Replace(_) => f.write_str("Replace"),
            Self::Delete => f.write_str("Delete"),
        }
    }
}

impl<E: Entity, R> fmt::Debug for Effect<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effect").field("change", &self.parts.change).finish_non_exhaustive()
    }
}
