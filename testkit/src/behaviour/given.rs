use super::{
    arrangement::{Arrangement, GivenState},
    env::{DefaultEnv, EnvOf, GivenEnv},
    golden::Golden,
    order::Order,
    persisted::Persisted,
    step::Step,
    subject::Subject,
};
use actum_model::{Entity, EventSourced, Handle, Lists, Metadata, Payload, SequenceNr};
use std::{fmt::Debug, path::PathBuf};

/// Arranges an entity for a test of what it does: no runtime, no store, no async.
///
/// # Examples
/// ```
/// # mod actum { pub use actum_model::*; pub use actum_persistence::codec::Json; }
/// use actum::{Ctx, Effect, Entity, EventSourced, Handle, Json};
/// use actum_testkit::Given;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug)]
/// struct Account { balance: u64 }
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// enum AccountEvent { Deposited(u64), Withdrawn(u64) }
/// use AccountEvent::{Deposited, Withdrawn};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Withdraw(u64);
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Insufficient { short_by: u64 }
/// # impl std::fmt::Display for Insufficient {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{} short", self.short_by) }
/// # }
/// # impl std::error::Error for Insufficient {}
/// # actum::payload!(Json: AccountEvent = "account", Withdraw = "withdraw", Insufficient = "insufficient");
/// # impl Entity for Account {
/// #     const KIND: &'static str = "account";
/// #     type Id = String;
/// #     type Env = ();
/// #     type Event = AccountEvent;
/// #     type Commands = (Withdraw,);
/// #     fn initial(_: &String) -> Self { Account { balance: 0 } }
/// # }
/// # impl EventSourced for Account {
/// #     fn apply(&mut self, event: &AccountEvent) {
/// #         match event { Deposited(n) => self.balance += n, Withdrawn(n) => self.balance -= n }
/// #     }
/// # }
///
/// impl Handle<Withdraw> for Account {
///     type Reply = u64;
///     type Rejection = Insufficient;
///     fn handle(
///         &self,
///         Withdraw(n): Withdraw,
///         ctx: &Ctx<'_, Self>,
///     ) -> Result<Effect<Self, u64>, Insufficient> {
///         if n > self.balance {
///             return Err(Insufficient { short_by: n - self.balance });
///         }
///         Ok(ctx.persist(Withdrawn(n)).reply_with(|account| account.balance))
///     }
/// }
///
/// Given::<Account>::entity("a")
///     .events([Deposited(20)])
///     .when(Withdraw(5))
///     .then_events([Withdrawn(5)])
///     .then_reply(15)
///     .when(Withdraw(16))
///     .then_rejected(Insufficient { short_by: 1 })
///     .then_state(|account| account.balance == 15);
/// ```
/// A durable-state entity is described the same way: [`state`](Self::state) arranges it, and
/// [`then_replaced`](Step::then_replaced), [`then_deleted`](Step::then_deleted) and
/// [`then_unchanged`](Step::then_unchanged) take the place of events.
///
/// # What every step also checks
/// * The command, the events, the reply, the rejection, and the state where it is stored, survive their codec: encoded,
///   decoded and encoded again they have the same bytes and the same `Debug` text. So nothing needs `PartialEq`, all
///   needs `Debug`. The handler gets a command that was decoded.
/// * Handling the command twice on the same state decides the same: what is not in the state, the command or the
///   environment has no say. [`handled_once`](Self::handled_once) turns it off.
/// * Neither the handler nor `reply_with` changes the state it is given.
/// * The events as they are decoded give the same state as the events as they were made.
/// * `after_commit` runs once, at the end of the step.
///
/// What was given is checked likewise before the first command. It fails with a text that begins with `given`, a step
/// with one that begins with `when`; neither can be mistaken for a rejection.
#[must_use = "nothing happens before `.when(..)`"]
pub struct Given<E: Entity, V = DefaultEnv> {
    arranged: Arrangement<E>,
    env: V,
    revision: Option<u64>,
}

impl<E: Entity> Given<E> {
    /// The entity `id`, to which nothing has happened yet.
    pub fn entity<How>(id: impl Into<E::Id>) -> Self
    where
        E: Persisted<How>,
    {
        let arranged =
            Arrangement { id: id.into(), rules: E::rules(), state: None, events: Vec::new() };
        Self { arranged, env: DefaultEnv, revision: None }
    }

    /// Begins a check of what the entity has stored before, kept in the file at `path`: a path from the root of the
    /// package, where `cargo test` runs tests.
    ///
    /// The file has a line for each stored payload. A later build must read every line and, unless the schema version is
    /// another, would write it the same; so a format that changed without a new
    /// [`SCHEMA_VERSION`](Payload::SCHEMA_VERSION) fails the test, which says so. Values that are not in the file yet fail
    /// it too; with `ACTUM_BLESS=1` they are added. Lines are never changed: what was stored once is read for ever.
    ///
    /// # Examples
    /// ```no_run
    /// # use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
    /// # use actum_persistence::codec::Json;
    /// # use actum_testkit::Given;
    /// # use serde::{Deserialize, Serialize};
    /// # struct Account;
    /// # #[derive(Clone, Serialize, Deserialize)]
    /// # enum AccountEvent { Deposited(u64), Withdrawn(u64) }
    /// # use AccountEvent::{Deposited, Withdrawn};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Withdraw(u64);
    /// # actum_model::payload!(Json: AccountEvent = "account", Withdraw = "withdraw");
    /// # impl Entity for Account {
    /// #     const KIND: &'static str = "account";
    /// #     type Id = String;
    /// #     type Env = ();
    /// #     type Event = AccountEvent;
    /// #     type Commands = (Withdraw,);
    /// #     fn initial(_: &String) -> Self { Account }
    /// # }
    /// # impl EventSourced for Account {
    /// #     fn apply(&mut self, _: &AccountEvent) {}
    /// # }
    /// # impl Handle<Withdraw> for Account {
    /// #     type Reply = u64;
    /// #     type Rejection = std::convert::Infallible;
    /// #     fn handle(&self, _: Withdraw, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Self::Rejection> {
    /// #         Ok(Effect::none().reply(0))
    /// #     }
    /// # }
    /// Given::<Account>::golden("tests/golden/account.txt")
    ///     .events([Deposited(20), Withdrawn(5)])
    ///     .replies::<Withdraw>([15])
    ///     .check();
    /// ```
    pub fn golden(path: impl Into<PathBuf>) -> Golden<E> {
        Golden::at(path.into())
    }

    /// Gives the entity its environment; needed unless [`Entity::Env`] has a default, such as `()`.
    pub fn env(self, env: E::Env) -> Given<E, GivenEnv<E::Env>> {
        let Self { arranged, revision, .. } = self;
        Given { arranged, env: GivenEnv(env), revision }
    }
}

impl<E: Entity, V> Given<E, V> {
    /// These events happened, in this order, behind a given state and behind events given before.
    pub fn events(mut self, events: impl IntoIterator<Item = E::Event>) -> Self
    where
        E: EventSourced,
    {
        self.arranged.events.extend(events);
        self
    }

    /// The entity is in this state: the durable state after one write, or what a snapshot after one event would hold.
    pub fn state(self, state: E) -> Self
    where
        E: Clone,
    {
        self.state_at(1, state)
    }

    /// The entity is in this state, after `revision` events or writes.
    pub fn state_at(mut self, revision: u64, state: E) -> Self
    where
        E: Clone,
    {
        let (twin, sequence_nr) = (state.clone(), SequenceNr::new(revision));
        self.arranged.state = Some(GivenState { sequence_nr, state, twin });
        self
    }

    /// Snapshots are taken of this kind of entity: every state must survive its codec. For durable states that is
    /// always so.
    pub fn snapshots(mut self) -> Self
    where
        E: Payload + Debug,
    {
        self.arranged.rules = self.arranged.rules.with_codec();
        self
    }

    /// Compares states and encodings regardless of order: for values that hold hash maps or sets, whose order is
    /// chance. The order of events always matters.
    ///
    /// A weaker check: prefer `BTreeMap` in what is stored.
    pub fn unordered(mut self) -> Self {
        self.arranged.rules.order = Order::IsChance;
        self
    }

    /// Handles every command once: for an environment that gives another answer each time, such as a source of ids.
    pub fn handled_once(mut self) -> Self {
        self.arranged.rules.handled_twice = false;
        self
    }

    /// What was given amounts to `revision` events or writes.
    pub fn expect_revision(mut self, revision: u64) -> Self {
        self.revision = Some(revision);
        self
    }
}

impl<E: Entity<Event: Debug> + Debug, V> Given<E, V> {
    /// Hands over a command.
    ///
    /// # Panics
    /// When what was given is broken, with a text that begins with `given`; and when one of the checks that every step
    /// makes fails, with a text that begins with `when`.
    #[track_caller]
    #[must_use = "say what is expected: `.then_…(..)`"]
    pub fn when<C, I>(self, command: C) -> Step<E, C>
    where
        V: EnvOf<E>,
        E: Handle<C, Reply: Debug>,
        C: Payload + Debug,
        E::Commands: Lists<C, I>,
    {
        self.when_with(command, Metadata::new())
    }

    /// As [`when`](Self::when), with metadata, such as a command id.
    ///
    /// # Panics
    /// As [`when`](Self::when).
    #[track_caller]
    #[must_use = "say what is expected: `.then_…(..)`"]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a command is handed over, as it is to an entity"
    )]
    pub fn when_with<C, I>(self, command: C, metadata: Metadata) -> Step<E, C>
    where
        V: EnvOf<E>,
        E: Handle<C, Reply: Debug>,
        C: Payload + Debug,
        E::Commands: Lists<C, I>,
    {
        self.subject().step(&command, &metadata)
    }

    #[track_caller]
    fn subject(self) -> Subject<E>
    where
        V: EnvOf<E>,
    {
        let Self { mut arranged, env, revision } = self;
        let name = arranged.name();
        let lives = match arranged.play() {
            Ok(lives) => lives,
            Err(why) => panic!("given {name}: {why}"),
        };
        let actual = lives.sequence_nr.get();
        if let Some(revision) = revision.filter(|revision| *revision != actual) {
            panic!("given {name}: expected revision {revision}, the entity is at {actual}");
        }
        let Arrangement { id, rules, .. } = arranged;
        Subject { id, name, env: env.into_env(), rules, lives, steps: 0 }
    }
}
