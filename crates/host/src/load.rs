use crate::{Bound, Failure, IdBudget, idle_thread::IdleThread};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What the engine holds in memory, counted against its bounds.
#[derive(Debug)]
pub struct Load {
    commands: AtomicUsize,
    commands_max: usize,
    entities: AtomicUsize,
    entities_max: usize,
    staged_bytes: AtomicUsize,
    journal_bytes_max: usize,
    slow_handlers: AtomicUsize,
    watchdog: IdleThread,
    ids: Arc<IdBudget>,
}

impl Load {
    pub fn new(commands_max: usize, entities_max: usize, journal_bytes_max: usize) -> Self {
        Self {
            commands: AtomicUsize::new(0),
            commands_max,
            entities: AtomicUsize::new(0),
            entities_max,
            staged_bytes: AtomicUsize::new(0),
            journal_bytes_max,
            slow_handlers: AtomicUsize::new(0),
            watchdog: IdleThread::default(),
            ids: Arc::new(IdBudget::new(usize::MAX)),
        }
    }

    /// Bounds what remembered command ids may take, in bytes.
    pub fn with_command_ids_bytes_max(self, bytes: usize) -> Self {
        Self { ids: Arc::new(IdBudget::new(bytes)), ..self }
    }

    /// What remembered command ids take.
    pub fn ids(&self) -> &Arc<IdBudget> {
        &self.ids
    }

    /// Counts a command in, if there is room. The first one wakes the watchdog.
    pub fn admit(&self) -> Result<(), Failure> {
        // sequentially consistent: either the watchdog sees this one before it sleeps, or this sees that it does
        let before = self.commands.fetch_add(1, Ordering::SeqCst);
        if before == 0 {
            self.watchdog.wake();
        }
        if !self.has_too_many_commands(before) {
            return Ok(());
        }
        self.answered(1);
        Err(Failure::Overloaded { bound: Bound::EngineCommands })
    }

    /// Whether another command must be refused beside these.
    pub fn has_too_many_commands(&self, commands: usize) -> bool {
        commands >= self.commands_max
    }

    pub fn answered(&self, commands: usize) {
        if commands > 0 {
            self.commands.fetch_sub(commands, Ordering::Relaxed);
        }
    }

    /// How many commands the engine holds. One whose caller was answered early counts until its partition releases it.
    pub fn commands(&self) -> usize {
        self.commands.load(Ordering::SeqCst)
    }

    /// What wakes the watchdog.
    pub fn watchdog(&self) -> &IdleThread {
        &self.watchdog
    }

    pub fn entity_came(&self) {
        self.entities.fetch_add(1, Ordering::SeqCst);
    }

    pub fn entity_left(&self) {
        self.entities.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many entities are in memory.
    pub fn entities(&self) -> usize {
        self.entities.load(Ordering::SeqCst)
    }

    /// Whether entities must leave memory: there are too many, or what they remember takes too much.
    pub fn has_too_many_entities(&self) -> bool {
        self.entities() > self.entities_max || self.ids.is_exceeded()
    }

    pub fn staged(&self, bytes: usize, no_longer: usize) {
        if bytes > no_longer {
            self.staged_bytes.fetch_add(bytes - no_longer, Ordering::Relaxed);
        } else if no_longer > bytes {
            self.staged_bytes.fetch_sub(no_longer - bytes, Ordering::Relaxed);
        }
    }

    /// How many bytes may still be staged while `queued` bytes wait in the journal's queues.
    pub fn room(&self, queued: usize) -> usize {
        self.journal_bytes_max.saturating_sub(self.staged_bytes.load(Ordering::Relaxed) + queued)
    }

    pub fn slow_handler(&self) {
        self.slow_handlers.fetch_add(1, Ordering::Relaxed);
    }

    pub fn slow_handlers(&self) -> usize {
        self.slow_handlers.load(Ordering::Relaxed)
    }
}
