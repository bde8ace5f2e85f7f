use super::{Batching, CommandWindow, SnapshotSettings};
use std::{fmt, time::Duration};

/// How the entities of one kind behave. Checked when the engine starts.
pub struct EntitySettings<E> {
    pub(crate) batching: Option<Batching>,
    pub(crate) snapshots: Option<SnapshotSettings<E>>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) commands_max: usize,
    pub(crate) command_window: CommandWindow,
}

impl<E> EntitySettings<E> {
    /// Lets changes of one entity gather before they are written; off by default.
    #[must_use]
    pub fn with_batching(mut self, batching: Batching) -> Self {
        self.batching = Some(batching);
        self
    }

    /// Takes snapshots of event-sourced entities; none by default. Durable states have no use for them.
    #[must_use]
    pub fn with_snapshots(mut self, snapshots: SnapshotSettings<E>) -> Self {
        self.snapshots = Some(snapshots);
        self
    }

    /// Lets an entity leave memory after this time without a command: at least 1 millisecond, 2 minutes by default;
    /// `None` keeps it until the engine needs its place.
    #[must_use]
    pub fn with_idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Lets so many commands of one entity wait for an answer: at least 1, 2,000 by default. Beyond it callers get
    /// `Overloaded`.
    #[must_use]
    pub fn with_commands_max(mut self, commands: usize) -> Self {
        self.commands_max = commands;
        self
    }

    /// Says which command ids an entity remembers: by default 2,000 of the last day. It holds at least as many as
    /// commands of the entity may wait, so none is forgotten before it is answered.
    #[must_use]
    pub fn with_command_window(mut self, window: CommandWindow) -> Self {
        self.command_window = window;
        self
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(self.batching.iter().flat_map(Batching::problems));
        problems.extend(self.snapshots.iter().flat_map(SnapshotSettings::problems));
        problems.extend(self.command_window.problems());
        if self.idle_timeout.is_some_and(|timeout| timeout < Duration::from_millis(1)) {
            problems.push("the idle timeout must be at least 1 millisecond".to_owned());
        }
        if self.commands_max == 0 {
            problems.push("at least 1 command of an entity must be allowed to wait".to_owned());
        }
        let (waiting, window) = (self.commands_max, self.command_window.commands_max);
        if waiting > window {
            problems.push(format!(
                "the command window holds {window} commands, and {waiting} of an entity may wait: it must hold them all"
            ));
        }
        problems
    }
}

impl<E> Default for EntitySettings<E> {
    fn default() -> Self {
        Self {
            batching: None,
            snapshots: None,
            idle_timeout: Some(Duration::from_secs(120)),
            commands_max: 2_000,
            command_window: CommandWindow::default(),
        }
    }
}

impl<E> Clone for EntitySettings<E> {
    fn clone(&self) -> Self {
        let Self { batching, idle_timeout, commands_max, command_window, .. } = *self;
        Self {
            batching,
            snapshots: self.snapshots.clone(),
            idle_timeout,
            commands_max,
            command_window,
        }
    }
}

impl<E> fmt::Debug for EntitySettings<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntitySettings")
            .field("batching", &self.batching)
            .field("snapshots", &self.snapshots)
            .field("idle_timeout", &self.idle_timeout)
            .field("commands_max", &self.commands_max)
            .field("command_window", &self.command_window)
            .finish()
    }
}
