use actum_model::{EntityKey, SequenceNr};
use actum_projection::{Message, PublishError, Publisher, Waves};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};
use tokio::time::sleep;

/// A broker in memory that is a [`Publisher`] itself, and where things go wrong as a test asks it to: it is away, rejects
/// messages, is slow, loses acknowledgements, keeps messages twice.
///
/// It keeps what it accepts, in order. All clones are one broker. Run the projections of a service over it to see what they
/// publish; as a publisher it is also an example of the contract.
///
/// # Examples
/// ```
/// use actum_projection::{Projection, ProjectionRegistration};
/// use actum_testkit::MemoryBroker;
/// # use actum_model::{Entity, NoEvents};
/// # fn example<Account: Entity>() {
/// let broker = MemoryBroker::new();
/// broker.reject(|message| message.data().len() > 1_000);
/// let projection = Projection::publisher("orders", broker.clone()).from::<Account>();
/// # let _: ProjectionRegistration = projection.into();
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryBroker(Arc<Mutex<BrokerParts>>);

/// Says of a message whether it is rejected.
type Rejects = dyn Fn(&Message) -> bool + Send;

#[derive(Default)]
struct BrokerParts {
    messages: Vec<Message>,
    seen: HashSet<String>,
    is_away: bool,
    rejects: Option<Box<Rejects>>,
    delay: Duration,
    acks_to_lose: u32,
    panics_to_come: u32,
    messages_max: Option<NonZeroUsize>,
    keeps_twice: bool,
    drops_duplicates: bool,
    calls: u64,
    largest_call: usize,
}

impl MemoryBroker {
    /// A broker that accepts everything at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// It cannot be reached, until it [comes back](Self::come_back).
    pub fn go_away(&self) {
        self.0.lock().is_away = true;
    }

    /// It can be reached again.
    pub fn come_back(&self) {
        self.0.lock().is_away = false;
    }

    /// It rejects the messages of which `rejects` says so, and no others any more.
    pub fn reject(&self, rejects: impl Fn(&Message) -> bool + Send + 'static) {
        self.0.lock().rejects = Some(Box::new(rejects));
    }

    /// It takes this long for what is sent together.
    pub fn slow_down(&self, delay: Duration) {
        self.0.lock().delay = delay;
    }

    /// In the next `calls` calls it accepts everything, and the acknowledgements do not arrive.
    pub fn lose_acks(&self, calls: u32) {
        self.0.lock().acks_to_lose = calls;
    }

    /// The next `calls` calls panic behind the first message.
    pub fn panic(&self, calls: u32) {
        self.0.lock().panics_to_come = calls;
    }

    /// It takes at most this many messages at once; 100 unless it is set. Publishers that have begun keep to what they knew.
    pub fn take_at_most(&self, messages: NonZeroUsize) {
        self.0.lock().messages_max = Some(messages);
    }

    /// It keeps each message twice, as a broker does whose own parts send again.
    pub fn keep_twice(&self) {
        self.0.lock().keeps_twice = true;
    }

    /// It keeps a message once, by its [`unique_id`](Message::unique_id), however often it comes.
    pub fn drop_duplicates(&self) {
        self.0.lock().drops_duplicates = true;
    }

    /// What it has accepted, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.0.lock().messages.clone()
    }

    /// The last number that came of each entity.
    ///
    /// # Panics
    /// When an event came before the one in front of it of its entity, whose events begin with number 1.
    #[must_use]
    pub fn in_order(&self) -> HashMap<EntityKey, SequenceNr> {
        let mut known: HashMap<EntityKey, SequenceNr> = HashMap::new();
        for message in &self.0.lock().messages {
            let nr = message.recorded().sequence_nr;
            let last = known.entry(message.entity().clone()).or_default();
            assert!(
                nr <= last.next(),
                "event {nr} of {} came behind event {last}, or too early",
                message.entity()
            );
            *last = nr.max(*last);
        }
        known
    }

    /// How often it was asked to publish.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// The most messages it was given at once.
    #[must_use]
    pub fn largest_call(&self) -> usize {
        self.0.lock().largest_call
    }

    fn begin(&self, messages: &[Message]) -> (Duration, bool) {
        let mut parts = self.0.lock();
        parts.calls += 1;
        parts.largest_call = parts.largest_call.max(messages.len());
        let loses_ack = parts.acks_to_lose > 0;
        parts.acks_to_lose = parts.acks_to_lose.saturating_sub(1);
        (parts.delay, loses_ack)
    }
}

impl BrokerParts {
    /// Whether it accepts a message.
    fn accept(&mut self, message: &Message) -> bool {
        if self.rejects.as_ref().is_some_and(|rejects| rejects(message)) {
            return false;
        }
        let is_new = self.seen.insert(message.unique_id());
        if is_new || !self.drops_duplicates {
            self.messages.push(message.clone());
        }
        if self.keeps_twice && !self.drops_duplicates {
            self.messages.push(message.clone());
        }
        true
    }
}

impl Publisher for MemoryBroker {
    async fn set_up(&mut self) -> Result<(), PublishError> {
        let is_away = self.0.lock().is_away;
        if is_away { Err(PublishError::unavailable("the broker is away")) } else { Ok(()) }
    }

    async fn publish(&mut self, messages: &[Message]) -> Result<(), PublishError> {
        let (delay, loses_ack) = self.begin(messages);
        let mut waves = Waves::new(messages, NonZeroUsize::MAX);
        while let Some(wave) = waves.next_wave() {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            let mut parts = self.0.lock();
            if parts.is_away {
                return Err(PublishError::unavailable("the broker is away"));
            }
            for at in wave {
                if !parts.accept(&messages[at]) {
                    waves.rejected(at, "the broker rejects it");
                }
                if parts.panics_to_come > 0 {
                    parts.panics_to_come -= 1;
                    drop(parts);
                    panic!("the connection is in pieces");
                }
            }
        }
        if loses_ack {
            return Err(PublishError::unavailable("no acknowledgement"));
        }
        waves.finish()
    }

    fn messages_max(&self) -> NonZeroUsize {
        self.0.lock().messages_max.unwrap_or(NonZeroUsize::new(100).expect("it is not zero"))
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.lock().messages.len();
        f.debug_struct("MemoryBroker").field("kept", &kept).finish_non_exhaustive()
    }
}
