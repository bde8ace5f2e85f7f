use super::{Ask, Entrance, Peek, TellError, command_target::CommandTarget};
use actum_model::{Entity, EntityId, EntityKey, Handle, Lists, Payload};
use std::{fmt, sync::Arc};

/// Addresses one entity. Cheap to clone, and never dead: the entity is activated by its first command and recovered
/// whenever it is needed. Where its partition is open is decided for each command as it is sent.
///
/// # Examples
/// ```
/// # mod actum { pub use actum_model::Revision; pub use actum_runtime::{AskError, EntityRef}; }
/// use actum::{AskError, EntityRef, Revision};
/// use std::time::Duration;
/// # use actum_model::{Ctx, Effect, Entity, EventSourced, Handle, payload};
/// # use actum_persistence::codec::Json;
/// # use actum_runtime::{Registration, Runtime, settings::{EntitySettings, RuntimeSettings}};
/// # use actum_store_memory::MemoryStore;
/// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
/// # struct Deposit(u64);
/// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
/// # struct Deposited(u64);
/// # payload!(Json: Deposit = "deposit", Deposited = "deposited");
/// # struct Account(u64);
/// # impl Entity for Account {
/// #     const KIND: &'static str = "account";
/// #     type Id = String;
/// #     type Env = ();
/// #     type Event = Deposited;
/// #     type Commands = (Deposit,);
/// #     fn initial(_: &String) -> Self { Account(0) }
/// # }
/// # impl EventSourced for Account {
/// #     fn apply(&mut self, event: &Deposited) { self.0 += event.0 }
/// # }
/// # impl Handle<Deposit> for Account {
/// #     type Reply = u64;
/// #     type Rejection = std::convert::Infallible;
/// #     fn handle(&self, command: Deposit, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Self::Rejection> {
/// #         Ok(Effect::persist(Deposited(command.0)).reply_with(|account: &Account| account.0))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let kinds = vec![Registration::event_sourced::<Account>((), EntitySettings::default())];
/// # let stores = Some(MemoryStore::new().into());
/// # let engine = Runtime::start("bank", stores, kinds, RuntimeSettings::default()).await?;
/// let account: EntityRef<Account> = engine.entity("acc-1");
/// assert_eq!(account.ask(Deposit(100)).await?, 100);
///
/// // sent again with its id, a command is applied once and answered the same
/// let ask = account.ask(Deposit(30)).command_id("request-7");
/// let first = ask.timeout(Duration::from_secs(1)).await?;
/// let again = account.ask(Deposit(30)).command_id("request-7").await?;
/// assert_eq!((first, again), (130, 130));
///
/// let outdated = account.ask(Deposit(1)).expect_revision(Revision::new(1)).await;
/// assert!(matches!(outdated, Err(AskError::RevisionMismatch { .. })));
/// account.tell(Deposit(1))?;
/// assert_eq!(account.ask(Deposit(1)).await?, 132);
/// # assert!(engine.shutdown().await.is_clean());
/// # Ok(())
/// # }
/// ```
pub struct EntityRef<E: Entity> {
    target: CommandTarget<E>,
}

impl<E: Entity> EntityRef<E> {
    pub(crate) fn new(key: EntityKey, entrance: Arc<Entrance<E>>) -> Self {
        Self { target: CommandTarget::Entity { key, entrance } }
    }

    pub(crate) fn nowhere(what: &str) -> Self {
        Self { target: CommandTarget::Nowhere(what.into()) }
    }

    /// Sends a command and waits for its reply.
    ///
    /// Await it as it is, or add to it first: `.timeout(…)`, `.command_id(…)`, `.expect_revision(…)`, `.metadata(…)`.
    /// `.await` sends it, and so does [`into_future`](IntoFuture::into_future), before the future is polled; an [`Ask`] that
    /// is dropped sends nothing.
    ///
    /// # Errors
    /// The future ends in an [`AskError`](actum_host::AskError): the entity's rejection, or what went wrong.
    ///
    /// # Deadlines
    /// It ends within 50 milliseconds of its deadline also while a handler blocks the entity's partition, and a command
    /// whose deadline has passed is not handled. `Timeout` then says `maybe_applied: true` as soon as the handler was
    /// entered, though it may only have looked. Where handlers block all threads of the caller's own tokio runtime, as
    /// one handler does on a current-thread runtime, the answer is there in time and the caller runs once a thread is
    /// free. The engine keeps a command of an ask that has ended, and counts it, until its partition comes to it.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the command back: it may still be applied.
    pub fn ask<C, I>(&self, command: C) -> Ask<E, C>
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        Ask::new(self.target.clone(), command)
    }

    /// Sends a command and does not wait. When it is not applied, that is logged: a rejection at debug, a failure at warn,
    /// once for each cause and then as a count.
    ///
    /// # Errors
    /// [`TellError`] when the command was not even taken, for example because a bound is reached.
    pub fn tell<C, I>(&self, command: C) -> Result<(), TellError>
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        self.ask(command).tell()
    }

    /// Looks at the state: a copy of it, once everything it shows is durable.
    ///
    /// The copy is answered like a reply, so the state is a [`Payload`] as replies are. Where another node of a cluster owns
    /// the entity, that one encodes it: it does so for durable states, for kinds with snapshots, and for those whose settings
    /// [say so](crate::settings::EntitySettings::with_remote_state).
    ///
    /// # Errors
    /// The future ends in an [`AskError`](actum_host::AskError), never a rejection. It is `Invalid` where the state is asked of
    /// another node and is not a kind of these.
    pub fn state(&self) -> Peek<E>
    where
        E: Clone + Payload,
    {
        Peek::new(self.target.clone())
    }

    /// The id of the entity; `None` when the id can name no entity.
    #[must_use]
    pub fn id(&self) -> Option<E::Id> {
        match &self.target {
            CommandTarget::Entity { key, .. } => E::Id::from_text(key.id()).ok(),
            CommandTarget::Nowhere(_) => None,
        }
    }
}

impl<E: Entity> Clone for EntityRef<E> {
    fn clone(&self) -> Self {
        Self { target: self.target.clone() }
    }
}

impl<E: Entity> fmt::Debug for EntityRef<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)
    }
}
