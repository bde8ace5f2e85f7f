use crate::settings::CommandWindow;
use actum_model::{CommandId, Timestamp};
use actum_persistence::serializer::RecentCommand;
use std::collections::VecDeque;

/// The commands an entity remembers by their ids, oldest first; bounded by number and by age.
///
/// It travels with the state it belongs to: in snapshots, in the row of a durable state, and event by event in the
/// journal, so a retry finds its reply after any restart. An entity that was never sent an id spends one word on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentCommands(Option<Box<Window>>);

#[derive(Clone, Debug, Default)]
struct Window(VecDeque<RecentCommand>);

impl RecentCommands {
    pub(crate) fn of(commands: Vec<RecentCommand>) -> Self {
        if commands.is_empty() { Self(None) } else { Self(Some(Box::new(Window(commands.into())))) }
    }

    pub(crate) fn find(&self, id: &CommandId) -> Option<&RecentCommand> {
        // a retry usually follows soon: newest first
        self.0.as_ref()?.0.iter().rev().find(|command| command.command_id == *id)
    }

    /// Adds `command` and lets go of what the window does not reach.
    pub(crate) fn remember(&mut self, command: RecentCommand, window: &CommandWindow) {
        let now = command.timestamp;
        let commands = &mut self.0.get_or_insert_default().0;
        commands.push_back(command);
        while commands.len() > window.commands_max || is_too_old(commands.front(), now, window) {
            commands.pop_front();
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &RecentCommand> {
        static NONE: Window = Window(VecDeque::new());
        self.0.as_deref().unwrap_or(&NONE).0.iter()
    }
}

fn is_too_old(oldest: Option<&RecentCommand>, now: Timestamp, window: &CommandWindow) -> bool {
    oldest.is_some_and(|command| now.since(command.timestamp) > window.age_max)
}
