use super::{Board, Chain, Dice, subject::size_limits};
use actum_host::{
    IdBudget,
    cell::{FailureBursts, KindContext},
    settings::{Batching, CommandWindow, EntitySettings, SnapshotSettings},
};
use actum_model::CommandId;
use actum_persistence::{serializer::Serializer, store::Incarnation};
use std::{sync::Arc, time::Duration};

/// The settings of a kind, before they know its type.
#[derive(Clone, Debug)]
pub(crate) struct Traits {
    pub(crate) by_state: bool,
    pub(crate) batching: Option<(u32, u64)>,
    /// How many events apart, whether on passivation too.
    pub(crate) snapshots: Option<(u64, bool)>,
    pub(crate) snapshots_kept: u32,
    pub(crate) deletes_events: bool,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) commands_max: usize,
    pub(crate) window: CommandWindow,
    /// The hashes of command ids; in some runs there are few, so that they collide.
    pub(crate) hash_id: fn(&CommandId) -> u64,
    pub(crate) snapshot_marks_max: usize,
    /// How many commands of a durable state one read brings.
    pub(crate) commands_read_max: usize,
}

impl Traits {
    pub(crate) fn any(by_state: bool, dice: &mut Dice) -> Self {
        let mut now_and_then = |per_mille| dice.chance(per_mille);
        let (batches, snapshots) = (now_and_then(400), now_and_then(650));
        let (on_passivation, deletes_events) = (now_and_then(500), now_and_then(500));
        let (leaves_idle, narrow) = (now_and_then(600), now_and_then(300));
        let (threshold, window) = (dice.between(2, 6) as u32, dice.between(1, 40));
        let every = dice.between(1, 8);
        Self {
            by_state,
            batching: batches.then_some((threshold, window)),
            snapshots: (snapshots && !by_state).then_some((every, on_passivation)),
            snapshots_kept: dice.between(1, 3) as u32,
            deletes_events,
            idle_timeout: leaves_idle.then(|| Duration::from_millis(dice.between(5, 400))),
            commands_max: dice.between(if narrow { 1 } else { 8 }, 16) as usize,
            window: any_window(dice),
            hash_id: if dice.chance(250) { few_hashes } else { CommandId::hash64 },
            snapshot_marks_max: dice.between(1, 6) as usize,
            commands_read_max: dice.between(1, 12) as usize,
        }
    }

    /// How many changes are sent without waiting for more, and how long the first waits at most.
    pub(crate) fn patience(&self) -> (usize, Duration) {
        let (threshold, millis) = self.batching.unwrap_or((1, 0));
        (threshold as usize, Duration::from_millis(millis))
    }

    pub(crate) fn chains(&self, by: (Incarnation, &Arc<IdBudget>)) -> Arc<KindContext<Chain>> {
        let mut settings = self.settings();
        if let Some((every, on_passivation)) = self.snapshots {
            let policy =
                SnapshotSettings::every(every).with_snapshot_on_passivation(on_passivation);
            settings = settings.with_snapshots(policy);
        }
        self.context(settings, by)
    }

    pub(crate) fn boards(&self, by: (Incarnation, &Arc<IdBudget>)) -> Arc<KindContext<Board>> {
        self.context(self.settings(), by)
    }

    fn context<E: super::Subject>(
        &self,
        settings: EntitySettings<E>,
        (incarnation, ids): (Incarnation, &Arc<IdBudget>),
    ) -> Arc<KindContext<E>> {
        Arc::new(KindContext {
            env: Arc::new(()),
            settings,
            serializer: Serializer::new(size_limits()),
            slow_handler_after: Duration::from_secs(1),
            bursts: FailureBursts::default(),
            incarnation: incarnation.into(),
            owned_as: None,
            hash_id: self.hash_id,
            snapshot_marks_max: self.snapshot_marks_max,
            commands_read_max: self.commands_read_max,
            ids: Arc::clone(ids),
        })
    }

    fn settings<E>(&self) -> EntitySettings<E> {
        let settings = EntitySettings::default()
            .with_idle_timeout(self.idle_timeout)
            .with_commands_max(self.commands_max)
            .with_command_window(self.window);
        match self.batching {
            None => settings,
            Some((threshold, millis)) => settings.with_batching(
                Batching::default()
                    .with_threshold(threshold)
                    .with_flush_window(Duration::from_millis(millis)),
            ),
        }
    }
}

/// Forgets early, by number or by age, so that all of it happens.
fn any_window(dice: &mut Dice) -> CommandWindow {
    let commands_min = dice.between(1, 12) as usize;
    CommandWindow::default()
        .with_commands_min(commands_min)
        .with_commands_max(commands_min + dice.below(12) as usize)
        .with_age_min(Duration::from_millis(dice.between(1000, 4000)))
}

fn few_hashes(id: &CommandId) -> u64 {
    id.hash64() % 4
}
