use super::{Beat, Desk, Host, Hosted, Note, Order, SimJob, host::turn, journal::Found};
use actum_host::{
    Failure,
    cell::{Cell, Job, Moment, Ticket},
};
use actum_model::EntityKey;
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};

/// A host, whatever the model.
pub(crate) trait Hosting {
    fn send(&mut self, key: EntityKey, order: Order);
    fn leave_committed(&mut self, ticket: Ticket, result: Result<Committed, CommitError>);
    fn leave_found(&mut self, ticket: Ticket, found: Result<Found, StoreError>);

    /// Takes what was left and steps the cells with it.
    fn turn(&mut self, beat: &Beat, desk: &mut Desk);

    /// Calls what may be called at any time.
    fn nudge(&mut self, nth: usize, beat: &Beat, desk: &mut Desk);

    /// From now on lets every cell leave.
    fn drain(&mut self);

    /// Fails everything.
    fn abandon(&mut self, beat: &Beat, desk: &mut Desk);

    /// When it must take a turn at the latest.
    fn due(&self) -> Moment;

    /// Whether something was left for it.
    fn has_mail(&self) -> bool;

    /// How many cells it has.
    fn live(&self) -> usize;
}

impl<M: Hosted> Hosting for Host<M> {
    fn send(&mut self, key: EntityKey, order: Order) {
        self.inbox.push_back((key, order));
    }

    fn leave_committed(&mut self, ticket: Ticket, result: Result<Committed, CommitError>) {
        self.committed.push_back((ticket, result));
    }

    fn leave_found(&mut self, ticket: Ticket, found: Result<Found, StoreError>) {
        self.found.push_back((ticket, found));
    }

    fn turn(&mut self, beat: &Beat, desk: &mut Desk) {
        self.note_turn(beat);
        self.take_committed(beat);
        self.take_found(beat, desk);
        self.take_commands(beat);
        if self.draining {
            for ticket in self.tickets() {
                let Some(at) = self.at(ticket) else { continue };
                self.step(at, beat, Cell::drain);
            }
        }
        self.flush_windows(beat);
        self.expire(beat);
        self.leave_idle(beat);
        self.keep_cap(beat);
        for ticket in std::mem::take(&mut self.touched) {
            self.flush(ticket, beat);
        }
        self.ship(desk);
    }

    fn nudge(&mut self, nth: usize, beat: &Beat, desk: &mut Desk) {
        if self.cells.is_empty() {
            return;
        }
        self.note_turn(beat);
        let at = nth % self.cells.len();
        let ticket = self.cells[at].ticket;
        let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
        let _ = self.cells[at].cell.expire(turn);
        self.flush(ticket, beat);
        self.ship(desk);
    }

    fn drain(&mut self) {
        self.draining = true;
    }

    fn abandon(&mut self, beat: &Beat, desk: &mut Desk) {
        self.note_turn(beat);
        for mut resident in std::mem::take(&mut self.cells) {
            let (life, entity) = (self.place.life, resident.entity);
            self.log.write(Note::Abandoned { life, entity });
            let turn = &mut turn(&self.context, &mut self.out, self.place, beat);
            resident.cell.abandon("the engine has lost its journal", turn);
        }
        for (_, order) in self.inbox.drain(..) {
            let job: Box<dyn Job<M::Entity>> = Box::new(SimJob::new(order, self.log.clone()));
            self.out.settle(job, Err(Failure::unavailable("the engine stops")));
        }
        self.ship(desk);
    }

    fn due(&self) -> Moment {
        let window = self.windows.front().map_or(Moment::NEVER, |(due, _)| *due);
        let inbox = self.inbox.iter().map(|(_, order)| order.deadline).min();
        let idle = self.context.settings.idle_timeout.and_then(|timeout| {
            self.cells.iter().map(|resident| resident.used.after(timeout)).min()
        });
        let dues = [inbox, idle].into_iter().flatten();
        dues.fold(window.min(self.next_deadline), Moment::min)
    }

    fn has_mail(&self) -> bool {
        !(self.inbox.is_empty() && self.committed.is_empty() && self.found.is_empty())
    }

    fn live(&self) -> usize {
        self.cells.len()
    }
}
