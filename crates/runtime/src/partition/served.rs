use super::{
    mailbox::PartitionMail,
    shell::{PartitionShell, TurnEnd},
};
use actum_host::{
    cell::GivenUp,
    partition::{HostedKind, PartitionHost},
};

/// A partition with what is around it: it takes its mail at its handle, and its outputs go to the journal.
pub(super) struct ServedPartition {
    shell: PartitionShell,
    partition: PartitionHost,
    mail: PartitionMail,
}

impl ServedPartition {
    pub(super) fn new(shell: PartitionShell, kinds: Vec<Box<dyn HostedKind>>) -> Self {
        let partition = PartitionHost::new(shell.handle.partition, shell.handle.lane, kinds);
        Self { shell, partition, mail: PartitionMail::default() }
    }

    /// Takes everything that was left, and a turn with it.
    pub(super) fn turn(&mut self) -> TurnEnd {
        let Self { shell, partition, mail } = self;
        shell.handle.begin_turn_with(mail);
        let turned = partition.turn(mail, shell, shell);
        shell.end_turn(turned)
    }

    /// Lets the other messages to the actor come before the next turn.
    pub(super) fn take_turn_later(&self) {
        self.shell.handle.take_turn_later();
    }

    /// From now on lets every cell leave once it has nothing under way.
    pub(super) fn drain(&mut self) -> TurnEnd {
        self.partition.drain();
        self.turn()
    }

    /// Whether it is to drain, nothing is under way, and no caller waits.
    pub(super) fn is_drained(&self) -> bool {
        self.partition.is_drained()
    }

    /// Fails everything that waits, and counts it at the handle.
    pub(super) fn abandon(&mut self, why: &GivenUp) {
        let Self { shell, partition, .. } = self;
        shell.handle.begin_turn();
        let (unanswered, turned) = partition.abandon(why, shell);
        shell.handle.note_abandoned(unanswered);
        let _ = shell.end_turn(turned);
    }
}
