use super::{
    Batch, BatchOutcome, FailedBy, OnFailure, SegmentMachine, Surrounding,
    batch::{last_read, position},
    error_text::cut,
    replay::Replayed,
    trial::Trial,
};
use actum_model::SequenceNr;
use actum_persistence::{
    progress::{DeadLetter, DeadLetterPlace, ParkedEntity},
    store::JournalEvent,
};
use std::{sync::Arc, time::Duration};

impl SegmentMachine {
    /// A batch has come to this.
    pub fn ended(&mut self, batch: &Batch, outcome: BatchOutcome, around: Surrounding) {
        let is_exact = self.rules.is_exact;
        match outcome {
            BatchOutcome::Saved { handled } => self.handled(batch, handled, Some(around.now)),
            BatchOutcome::Failed { at, .. } if at > 0 && is_exact => {
                self.trial_of(batch, |_| Trial::Before(at));
            }
            BatchOutcome::Failed { at, error, cause } => {
                if at > 0 {
                    self.handled(batch, at, None);
                }
                self.failed(batch, at, &error, cause, around);
            }
            BatchOutcome::FailedSomewhere { .. } if batch.events.len() > 1 => {
                self.trial_of(batch, |_| Trial::OneByOne(batch.events.len()));
            }
            BatchOutcome::FailedSomewhere { error } => {
                self.failed(batch, 0, &error, FailedBy::Handler, around);
            }
            BatchOutcome::Unavailable { handled, error } => {
                if !is_exact && handled > 0 {
                    self.handled(batch, handled, None);
                }
                self.wait_for_others(&error, around);
            }
            BatchOutcome::Unknown { .. } | BatchOutcome::Stale => self.lose(),
        }
    }

    /// The first events of a batch were handled; saved, if it says when.
    pub(super) fn handled(&mut self, batch: &Batch, handled: usize, saved: Option<Duration>) {
        if let Some(now) = saved {
            let save = batch.save(handled, batch.base.saved_at);
            self.saved(&save, now);
        } else {
            self.unsaved.handled += handled as u64;
        }
        let Some(last) = handled.checked_sub(1).and_then(|at| batch.events.get(at)) else { return };
        let is_all = handled == batch.events.len();
        self.trial_of(batch, |trial| if is_all { trial.after_success() } else { Trial::Together });
        if batch.is_of_lane() {
            self.parked_in_row = 0;
            return self.take(batch, last);
        }
        let Some(replay) = &mut self.replay else { return };
        replay.take(handled);
        let is_read = replay.events.as_ref().is_some_and(std::collections::VecDeque::is_empty);
        let (what, is_rest) = (replay.what.clone(), replay.is_rest);
        match what {
            Replayed::Letter(letter) => {
                if saved.is_none() {
                    self.unsaved.letters_replayed.push(letter.place);
                }
                self.replay = None;
            }
            Replayed::Parked(parked) => {
                if is_read {
                    (replay.events, replay.lets_lanes_first) = (None, true);
                }
                let is_done = is_read && is_rest;
                if saved.is_none() {
                    self.unsaved.replay(parked.entity.clone(), (!is_done).then_some(parked.from));
                }
                if is_done {
                    self.parked.remove(&parked.entity);
                    self.replay = None;
                } else if let Some(known) = self.parked.get_mut(&parked.entity) {
                    known.from = parked.from;
                }
            }
        }
    }

    /// Nothing of a parked entity is held back any more, or a dead letter was followed by what stands for it.
    pub(super) fn replay_done(&mut self) {
        match self.replay.take().map(|replay| replay.what) {
            Some(Replayed::Parked(parked)) => {
                self.parked.remove(&parked.entity);
                self.unsaved.replay(parked.entity, None);
            }
            Some(Replayed::Letter(letter)) => self.unsaved.letters_replayed.push(letter.place),
            None => {}
        }
    }

    /// Event `at` of a batch could not be handled, and those in front of it were.
    fn failed(
        &mut self,
        batch: &Batch,
        at: usize,
        error: &str,
        cause: FailedBy,
        around: Surrounding,
    ) {
        let Some(event) = batch.events.get(at) else { return };
        if !batch.is_of_lane() {
            return self.replay_failed(event.event.sequence_nr, Some(event), error, around);
        }
        // one that was held back until now may stand in front of the one that has failed before
        let place = Some((batch.lane, position(event)));
        let is_again = std::mem::replace(&mut self.failed_at, place) == place;
        let attempts = if is_again { self.trial.failed() } else { 1 };
        let (attempts, policy) = match cause {
            FailedBy::Handler => (attempts, self.rules.on_failure),
            FailedBy::Damage => (0, self.rules.on_failure),
            FailedBy::UnknownType => (0, self.rules.on_unknown),
        };
        self.trial = Trial::Alone { attempts };
        if cause == FailedBy::Handler && attempts <= self.rules.retries {
            let wait = self.rules.backoff.after(attempts, around.chance);
            return self.wait(error, wait, around.now);
        }
        match policy {
            OnFailure::Stop => self.fail(&described(event, attempts, error)),
            OnFailure::SkipToDeadLetters => self.skip(batch, event, attempts, error, around),
            OnFailure::ParkEntity => self.park(batch, event, attempts, error, around),
        }
    }

    fn skip(
        &mut self,
        batch: &Batch,
        event: &JournalEvent,
        attempts: u32,
        error: &str,
        around: Surrounding,
    ) {
        let letter = DeadLetter {
            place: DeadLetterPlace { lane: batch.lane, position: position(event) },
            entity: event.entity.clone(),
            partition: event.partition,
            sequence_nr: event.event.sequence_nr,
            event_id: event.event.event_id,
            manifest: Arc::from(&*event.event.payload.manifest),
            error: cut(error).into(),
            attempts,
            skipped_at: around.wall,
            is_requested: false,
        };
        self.unsaved.dead_letters.push(letter);
        self.give_up(batch, event);
    }

    fn park(
        &mut self,
        batch: &Batch,
        event: &JournalEvent,
        attempts: u32,
        error: &str,
        around: Surrounding,
    ) {
        if self.parked.len() >= self.rules.parked_max {
            let parked = self.parked.len();
            return self.fail(&format!(
                "{parked} entities are parked, and no more may be: {}",
                described(event, attempts, error)
            ));
        }
        if self.parked_in_row >= self.rules.parked_in_row_max {
            let in_row = self.parked_in_row;
            return self.fail(&format!(
                "{in_row} entities were parked in a row, so it is not the events: {}",
                described(event, attempts, error)
            ));
        }
        self.parked_in_row += 1;
        let parked = ParkedEntity {
            entity: event.entity.clone(),
            partition: event.partition,
            lane: batch.lane,
            from: event.event.sequence_nr,
            position: position(event),
            error: cut(error).into(),
            attempts,
            parked_at: around.wall,
            request: None,
        };
        self.parked.insert(event.entity.clone(), parked.clone());
        self.unsaved.park(parked);
        self.give_up(batch, event);
    }

    /// Goes on behind an event that was not handled.
    fn give_up(&mut self, batch: &Batch, event: &JournalEvent) {
        self.trial = Trial::Together;
        self.pause = None;
        self.take(batch, event);
    }

    fn take(&mut self, batch: &Batch, last: &JournalEvent) {
        self.progress.met(batch.lane, last_read(last));
        if let Some(page) = &mut self.page {
            page.take(position(last));
        }
    }

    /// What is replayed has failed at the event `from`.
    pub(super) fn replay_failed(
        &mut self,
        from: SequenceNr,
        event: Option<&JournalEvent>,
        error: &str,
        around: Surrounding,
    ) {
        let Some(replay) = self.replay.take() else { return };
        match replay.what {
            Replayed::Parked(parked) => {
                let parked = ParkedEntity {
                    from,
                    position: event.map_or(parked.position, position),
                    error: cut(error).into(),
                    attempts: parked.attempts.saturating_add(1),
                    parked_at: around.wall,
                    request: None,
                    ..parked
                };
                self.parked.insert(parked.entity.clone(), parked.clone());
                self.unsaved.park(parked);
            }
            Replayed::Letter(letter) => self.unsaved.dead_letters.push(DeadLetter {
                error: cut(error).into(),
                attempts: letter.attempts.saturating_add(1),
                skipped_at: around.wall,
                is_requested: false,
                ..letter
            }),
        }
    }

    fn trial_of(&mut self, batch: &Batch, change: impl FnOnce(Trial) -> Trial) {
        if batch.is_of_lane() {
            self.trial = change(self.trial);
        } else if let Some(replay) = &mut self.replay {
            replay.trial = change(replay.trial);
        }
    }
}

/// Names the event that failed, and why.
fn described(event: &JournalEvent, attempts: u32, error: &str) -> String {
    let (entity, nr) = (&event.entity, event.event.sequence_nr);
    let times = match attempts {
        0 => String::new(),
        1 => " once".to_owned(),
        n => format!(" {n} times"),
    };
    format!("event {nr} of {entity} failed{times}: {error}")
}
