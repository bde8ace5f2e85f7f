use super::Found;
use crate::{
    cell::{Moment, Ticket},
    clock::Clock,
    journal::Journal,
    writer_lease::Term,
};
use actum_model::{Lane, Partition, Timestamp};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};

/// What one turn of a partition is about.
#[derive(Clone, Copy)]
pub(crate) struct Beat<'a> {
    /// The clock as it was read last: as the turn began, as commands were taken, after each of them, and before and after
    /// what a read brought.
    pub(crate) now: Moment,
    pub(crate) clock: Clock,
    pub(crate) wall: Timestamp,
    pub(crate) partition: Partition,
    pub(crate) lane: Lane,
    /// How many bytes of changes may still be staged.
    pub(crate) room: usize,
    pub(crate) journal: &'a Journal,
}

/// What a kind has to say at the end of a turn.
pub(crate) struct Finished {
    /// When it wants to be woken at the latest.
    pub(crate) due: Moment,
    /// Whether it woke tasks: callers, writers, readers, or whatever its actions woke.
    pub(crate) woke: bool,
}

/// The cells of one kind in one partition, whatever the kind.
pub(crate) trait HostedKind: Send {
    /// Takes what became of an append.
    fn committed(
        &mut self,
        ticket: Ticket,
        result: Result<Committed, CommitError>,
        beat: &Beat<'_>,
    );

    /// Takes what a read brought.
    fn found(&mut self, ticket: Ticket, found: Result<Found, StoreError>, beat: &Beat<'_>);

    /// Takes all commands that wait in the inbox; refuses them if the term is over. Leaves the clock in `beat` as it was
    /// read last.
    fn commands(&mut self, term: &Term, beat: &mut Beat<'_>);

    /// Answers late commands and lets idle cells leave, as far as they are due.
    fn sweep(&mut self, beat: &Beat<'_>);

    /// Ends the turn: sends out what the cells produced.
    fn finish(&mut self, beat: &Beat<'_>) -> Finished;

    /// When the least recently used cell was used; never, without cells.
    fn oldest_use(&self) -> Moment;

    /// Lets the least recently used idle cell leave; says whether it found one.
    fn passivate_oldest(&mut self, beat: &Beat<'_>) -> bool;

    /// Lets all cells leave, whatever is under way.
    fn drain(&mut self, beat: &Beat<'_>);

    /// Fails everything that waits.
    fn abandon(&mut self, reason: &'static str, beat: &Beat<'_>);

    /// How many cells are in memory.
    fn live(&self) -> usize;

    /// How many commands were taken and are not answered yet.
    fn unanswered(&self) -> usize;
}
