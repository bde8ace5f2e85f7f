use super::{Batching, CommandWindow, SnapshotSettings, snapshot_settings::EncodeState};
use actum_model::Payload;
use actum_persistence::{serializer::Serializer, settings_check::SettingsCheck};
use std::{fmt, time::Duration};

/// How the entities of one kind behave. Checked when the engine starts.
#[non_exhaustive]
pub struct EntitySettings<E> {
    /// Lets changes of one entity gather before they are written; `None`, the default, writes them at once.
    pub batching: Option<Batching>,
    /// When snapshots of event-sourced entities are taken; `None`, the default, for none. Durable states have no use for
    /// them.
    pub snapshots: Option<SnapshotSettings<E>>,
    /// After what time without a command an entity leaves memory; 2 minutes by default, at least 1 millisecond. `None`
    /// keeps it until the engine needs its place.
    pub idle_timeout: Option<Duration>,
    /// How many commands of one entity may wait for an answer; 2,000 by default, at least 1. Beyond it callers get
    /// `Overloaded`.
    pub commands_max: usize,
    /// For how long an entity remembers command ids; by default at least the last 100, and those of the last 10 minutes.
    /// None is forgotten before its command is stored.
    pub command_window: CommandWindow,
    /// How a state is encoded that another node of a cluster reads, where neither snapshots nor the kind itself say so; `None`
    /// by default, see [`with_remote_state`](Self::with_remote_state).
    pub encode_state: Option<EncodeState<E>>,
}

impl<E: Payload> EntitySettings<E> {
    /// Lets the other nodes of a cluster read the state of event-sourced entities without snapshots, encoded as a [`Payload`].
    /// Those of durable states and of kinds with snapshots they can read anyway.
    #[must_use]
    pub fn with_remote_state(self) -> Self {
        Self { encode_state: Some(Serializer::encode), ..self }
    }
}

impl<E> EntitySettings<E> {
    /// Sets [`batching`](Self::batching).
    #[must_use]
    pub fn with_batching(self, batching: Batching) -> Self {
        Self { batching: Some(batching), ..self }
    }

    /// Sets [`snapshots`](Self::snapshots).
    #[must_use]
    pub fn with_snapshots(self, snapshots: SnapshotSettings<E>) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// Sets [`idle_timeout`](Self::idle_timeout).
    #[must_use]
    pub fn with_idle_timeout(self, timeout: Option<Duration>) -> Self {
        Self { idle_timeout: timeout, ..self }
    }

    /// Sets [`commands_max`](Self::commands_max).
    #[must_use]
    pub fn with_commands_max(self, commands: usize) -> Self {
        Self { commands_max: commands, ..self }
    }

    /// Sets [`command_window`](Self::command_window).
    #[must_use]
    pub fn with_command_window(self, window: CommandWindow) -> Self {
        Self { command_window: window, ..self }
    }

    /// All that is wrong with these settings, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        if let Some(batching) = &self.batching {
            batching.check(&mut check);
        }
        if let Some(snapshots) = &self.snapshots {
            snapshots.check(&mut check);
        }
        if let Some(timeout) = self.idle_timeout {
            check.duration("idle_timeout", timeout, Duration::from_millis(1)..);
        }
        check.number("commands_max", self.commands_max, 1..);
        self.command_window.check(&mut check);
        check.into_problems()
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
            encode_state: None,
        }
    }
}

impl<E> Clone for EntitySettings<E> {
    fn clone(&self) -> Self {
        let Self { batching, idle_timeout, commands_max, command_window, encode_state, .. } = *self;
        Self {
            batching,
            snapshots: self.snapshots.clone(),
            idle_timeout,
            commands_max,
            command_window,
            encode_state,
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
            .field("encode_state", &self.encode_state.is_some())
            .finish_non_exhaustive()
    }
}
