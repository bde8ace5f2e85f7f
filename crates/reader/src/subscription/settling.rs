use super::{ConsumerNr, NotAcked, SubscriptionMachine, unsettled::Holder};
use actum_model::{Lane, Offset};
use actum_persistence::progress::{
    DeadLetterPlace, Epoch, ProgressSave, ProjectionId, ReadProgress, Segment,
};
use std::time::Duration;

impl SubscriptionMachine {
    /// A consumer has handled an event.
    ///
    /// # Errors
    /// [`NotAcked`] when it does not have the event in flight.
    pub fn ack(
        &mut self,
        consumer: ConsumerNr,
        epoch: Epoch,
        place: DeadLetterPlace,
    ) -> Result<(), NotAcked> {
        let nr = self.in_flight_nr(consumer, epoch, place)?;
        self.unkept.acknowledged += 1;
        self.settle(nr);
        Ok(())
    }

    /// A consumer has handled everything that it has in flight up to there; returns how many that were.
    ///
    /// # Errors
    /// [`NotAcked`] when it has nothing in flight up to there.
    pub fn ack_up_to(
        &mut self,
        consumer: ConsumerNr,
        epoch: Epoch,
        offset: &Offset,
    ) -> Result<usize, NotAcked> {
        self.check_epoch(epoch)?;
        let is_handled = |nr: &u64| {
            let event = self.events.get(nr).filter(|event| !event.is_letter);
            event.is_some_and(|event| {
                let read = offset.positions().get(event.lane.index());
                read.is_some_and(|read| event.event.event.position <= *read)
            })
        };
        let seat = self.consumers.get(&consumer).ok_or(NotAcked::NotInFlight)?;
        let in_flight = seat.in_flight.iter().filter(|nr| seat.handed != Some(**nr));
        let handled: Vec<_> = in_flight.copied().filter(is_handled).collect();
        if handled.is_empty() {
            let is_late = seat.timed_out.iter().any(|place| {
                let read = offset.positions().get(place.lane.index());
                read.is_some_and(|read| place.position <= *read)
            });
            return Err(if is_late { NotAcked::TimedOut } else { NotAcked::NotInFlight });
        }
        self.unkept.acknowledged += handled.len() as u64;
        handled.iter().for_each(|nr| self.settle(*nr));
        Ok(handled.len())
    }

    /// The selector has left an event out.
    ///
    /// # Errors
    /// [`NotAcked`] when the consumer does not have it in flight.
    pub fn skip(
        &mut self,
        consumer: ConsumerNr,
        epoch: Epoch,
        place: DeadLetterPlace,
    ) -> Result<(), NotAcked> {
        let nr = self.in_flight_nr(consumer, epoch, place)?;
        self.settle(nr);
        Ok(())
    }

    pub(super) fn in_flight_nr(
        &self,
        consumer: ConsumerNr,
        epoch: Epoch,
        place: DeadLetterPlace,
    ) -> Result<u64, NotAcked> {
        self.check_epoch(epoch)?;
        let late = || {
            let seat = self.consumers.get(&consumer);
            let is_late = seat.is_some_and(|seat| seat.timed_out.contains(&place));
            if is_late { NotAcked::TimedOut } else { NotAcked::NotInFlight }
        };
        let nr = *self.places.get(&place).ok_or_else(late)?;
        let holder = self.events.get(&nr).map(|event| event.holder);
        if holder == Some(Holder::Consumer(consumer)) { Ok(nr) } else { Err(late()) }
    }

    fn check_epoch(&self, epoch: Epoch) -> Result<(), NotAcked> {
        if self.epoch == Some(epoch) { Ok(()) } else { Err(NotAcked::Lost) }
    }

    /// An event in flight is done with.
    pub(super) fn settle(&mut self, nr: u64) {
        let Some(key) = self.take_from_consumer(nr) else { return };
        let Some(event) = self.events.remove(&nr) else { return };
        let place = event.place();
        self.places.remove(&place);
        self.unkept.settled += 1;
        if event.is_letter {
            self.unkept.replayed.push(place);
        } else {
            self.windows[event.lane.index()].settle(place.position);
        }
        self.list(&key);
    }

    /// How far everything is settled.
    pub fn progress(&self) -> ReadProgress {
        let mut progress = self.saved.clone();
        for (nr, window) in (0..).zip(&self.windows) {
            let lane = Lane::new(nr);
            window.last().into_iter().for_each(|last| progress.met(lane, last));
            progress.advance(lane, window.settled_to());
        }
        progress
    }

    /// When what has happened is to be saved; none if there is nothing.
    pub(super) fn save_due(&self) -> Option<Duration> {
        if self.unkept.has_letters() || self.unkept.settled >= self.rules.checkpoint_events {
            return Some(Duration::ZERO);
        }
        (self.epoch.is_some() && self.progress() != self.saved)
            .then(|| self.saved_at + self.rules.checkpoint_interval)
    }

    /// What is to be saved now; everything there is, if it ends.
    pub fn save(
        &mut self,
        projection: &ProjectionId,
        segment: Segment,
        now: Duration,
        ends: bool,
    ) -> Option<ProgressSave> {
        let (epoch, due) = (self.epoch?, self.save_due()?);
        // what was not kept is tried again a while later, however much it is
        let is_due = ends || (due <= now && now >= self.unkept_until);
        is_due.then(|| {
            self.unkept.in_save = self.unkept.settled;
            let mut save =
                ProgressSave::nothing(projection.clone(), segment, epoch, self.progress());
            save.handled = self.unkept.acknowledged;
            save.dead_letters.clone_from(&self.unkept.parked);
            save.letters_replayed.clone_from(&self.unkept.replayed);
            save
        })
    }

    /// This was saved; more may have happened meanwhile.
    pub fn saved(&mut self, save: &ProgressSave, now: Duration) {
        if self.epoch != Some(save.epoch) {
            return;
        }
        let unkept = &mut self.unkept;
        unkept.acknowledged -= save.handled.min(unkept.acknowledged);
        unkept.settled -= std::mem::take(&mut unkept.in_save);
        unkept.parked.drain(..save.dead_letters.len().min(unkept.parked.len()));
        unkept.replayed.drain(..save.letters_replayed.len().min(unkept.replayed.len()));
        self.saved = save.progress.clone();
        self.saved_at = now;
    }

    /// It could not be saved, which is tried again a while later.
    pub fn not_saved(&mut self, again_at: Duration) {
        self.unkept_until = again_at;
    }
}
