use super::{Found, TurnContext};
use crate::{
    Moment,
    cell::{GivenUp, Ticket},
};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};

/// The cells of one kind in one partition, whatever the kind.
pub trait HostedKind: Send {
    /// Takes the outcome of an append.
    fn committed(
        &mut self,
        ticket: Ticket,
        result: Result<Committed, CommitError>,
        ctx: &TurnContext<'_>,
    );

    /// Takes what a read brought.
    fn found(&mut self, ticket: Ticket, found: Result<Found, StoreError>, ctx: &TurnContext<'_>);

    /// Takes all commands that wait in the inbox; refuses them if they must not be handled. Before it handles them, and also
    /// where there are none, it lets all cells recover again if the journal has lost something since the last call. Leaves the
    /// clock in `ctx` as it was read last, and says how many commands it took.
    fn commands(&mut self, ctx: &mut TurnContext<'_>) -> usize;

    /// Answers late commands and lets idle cells leave, as far as they are due.
    fn sweep(&mut self, ctx: &TurnContext<'_>);

    /// Ends the turn: sends out what the cells produced.
    fn finish(&mut self, ctx: &TurnContext<'_>) -> Finished;

    /// When the least recently used cell was used; never, without cells.
    fn oldest_use(&self) -> Moment;

    /// Lets the least recently used cell leave that is not at work; says whether it found one.
    fn leave_oldest(&mut self, ctx: &TurnContext<'_>) -> bool;

    /// Lets all cells leave, whatever is under way.
    fn drain(&mut self, ctx: &TurnContext<'_>);

    /// Fails everything that waits.
    fn abandon(&mut self, why: &GivenUp, ctx: &TurnContext<'_>);

    /// How many cells are in memory.
    fn live(&self) -> usize;

    /// How many commands were taken and are not answered yet.
    fn unanswered(&self) -> usize;
}

/// What a kind reports at the end of a turn.
pub struct Finished {
    /// When it wants to be woken at the latest.
    pub due: Moment,
    /// Whether it woke tasks: callers, writers, readers, or whatever its actions woke.
    pub woke: bool,
}
