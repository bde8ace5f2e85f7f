use super::{End, Ledger};
use crate::{Answer, Flaw, Reply, Seen, Wish};
use actum_host::{Failure, Receipt, cell::Verdict};

impl Ledger {
    /// A command is answered: for the first time, and with the truth.
    pub(super) fn settled(&mut self, nr: u32, answer: &Answer, verdict: Verdict) {
        if let Some(end) = self.sent[nr as usize].end {
            self.wrong(format!("{nr}: answered again, it ended as {end:?}"));
        }
        let end = match verdict {
            Ok(receipt) => self.answered(nr, answer, receipt),
            Err(failure) => self.refused(nr, &failure),
        };
        if end == End::NotApplied {
            self.deny(nr);
        }
        self.sent[nr as usize].end = Some(end);
        self.released(nr);
    }

    /// An answer is sent once everything it shows is stored.
    fn answered(&mut self, nr: u32, answer: &Answer, receipt: Receipt) -> End {
        self.check_receipt(nr, receipt);
        match answer {
            Answer::Reply(reply) => self.replied(nr, *reply, receipt),
            Answer::Rejection => {
                self.coverage.saw(Seen::Rejected);
                self.check_saw_stored(nr, receipt);
                if self.sent[nr as usize].order.plan.wish != Wish::Reject {
                    self.wrong(format!("{nr}: rejected for nothing"));
                }
                End::NotApplied
            }
            Answer::Failure(failure) => self.prepared(nr, failure, receipt),
            Answer::Recorded(reply) => self.replied_by_record(nr, *reply, receipt),
            Answer::Nothing => {
                self.wrong(format!("{nr}: answered without an answer"));
                End::NotApplied
            }
        }
    }

    fn replied(&mut self, nr: u32, reply: Reply, receipt: Receipt) -> End {
        let sent = &self.sent[nr as usize];
        let truth = &self.truths[sent.order.entity as usize];
        let changes = sent.changes(truth.id, truth.by_state).len() as u64;
        let at = sent.saw.map_or(0, |(at, _)| at);
        let placed = (changes > 0).then_some((at + 1, at + changes));
        let right = (sent.order.nr, sent.reply_digest()) == (reply.nr, Some(reply.digest));
        if sent.placed != placed || receipt.sequence_nr.get() != at + changes {
            self.wrong(format!("{nr}: acknowledged with {receipt:?}, stored is {placed:?}"));
        }
        if !right {
            self.wrong(format!("{nr}: another reply than its own"));
        }
        self.check_saw_stored(nr, receipt);
        self.coverage.saw(Seen::Replied);
        End::Replied
    }

    fn replied_by_record(&mut self, nr: u32, reply: Reply, receipt: Receipt) -> End {
        let (first, entity) = (&self.sent[reply.nr as usize], self.sent[nr as usize].order.entity);
        let (placed, digest) = (first.placed, first.reply_digest());
        if placed.is_none_or(|(_, last)| last != receipt.sequence_nr.get()) {
            self.wrong(format!("{nr}: replied by record of {placed:?} with {receipt:?}"));
        }
        if digest != Some(reply.digest) || self.sent[nr as usize].saw.is_some() {
            self.wrong(format!("{nr}: another reply than that of {}", reply.nr));
        }
        self.coverage.saw(Seen::RepliedByRecord);
        let life = self.sent[nr as usize].life.unwrap_or_default();
        if !self.mind(life, entity).pending.is_empty() {
            self.coverage.saw(Seen::RetryOvertook);
        }
        End::Replied
    }

    /// A failure of the command's own, which tells what the entity has seen.
    fn prepared(&mut self, nr: u32, failure: &Failure, receipt: Receipt) -> End {
        let sent = &self.sent[nr as usize];
        let order = &sent.order;
        let explained = match failure {
            Failure::RevisionMismatch { expected, actual } => {
                self.coverage.saw(Seen::RevisionMismatch);
                order.expected_revision == Some(expected.get())
                    && expected != actual
                    && *actual == receipt.sequence_nr.into()
            }
            Failure::Invalid { .. } if sent.saw.is_some() => {
                let recorded = order.plan.flaw == Flaw::RecordingFails;
                let seen = if recorded { Seen::RecordingFailed } else { Seen::InvalidCommand };
                self.coverage.saw(seen);
                order.plan.is_invalid()
            }
            Failure::Invalid { .. } => {
                self.coverage.saw(Seen::FingerprintFailed);
                order.plan.flaw == Flaw::FingerprintFails && order.id.is_some()
            }
            Failure::Panicked { .. } => {
                self.coverage.saw(panic_of(order.plan.flaw));
                order.plan.panics()
            }
            _ => false,
        };
        if !explained {
            self.wrong(format!("{nr}: failed without a reason: {failure}"));
        }
        self.check_saw_stored(nr, receipt);
        End::NotApplied
    }

    /// What a command saw is stored, and the receipt says so.
    fn check_saw_stored(&mut self, nr: u32, receipt: Receipt) {
        let sent = &self.sent[nr as usize];
        let Some((at, seen)) = sent.saw else { return };
        let truth = &self.truths[sent.order.entity as usize];
        if !truth.shows(at, seen) || receipt.sequence_nr.get() < at {
            self.wrong(format!("{nr}: its answer shows what is not stored, {receipt:?}"));
        }
    }

    fn check_receipt(&mut self, nr: u32, receipt: Receipt) {
        let entity = self.sent[nr as usize].order.entity;
        let truth = &mut self.truths[entity as usize];
        let (at, position) =
            (receipt.sequence_nr.get(), receipt.position.map_or(0, actum_model::Position::get));
        let stored = at <= truth.head();
        // an entity that has read nothing but a snapshot knows no position
        let known = truth.positions.binary_search(&position);
        let fits = truth.by_state || position == 0 || known.is_ok_and(|behind| behind as u64 >= at);
        if !stored || !fits || receipt.lane != self.lanes[entity as usize] {
            self.violations.push(format!("{nr}: a receipt that is wrong, {receipt:?}"));
        }
        let truth = &mut self.truths[entity as usize];
        truth.acknowledged = truth.acknowledged.max(at.min(truth.head()));
    }

    /// An answer that is not sent, because of something else.
    fn refused(&mut self, nr: u32, failure: &Failure) -> End {
        let sent = &self.sent[nr as usize];
        let (life, entity, plan) =
            (sent.life.unwrap_or_default(), sent.order.entity, sent.order.plan);
        let (in_time, handled) = (sent.order.deadline > self.now, sent.saw.is_some());
        let (lost, step) = (self.truths[entity as usize].lost, self.step);
        let explained = match failure {
            Failure::Timeout { maybe_applied } => {
                return self.timed_out(nr, *maybe_applied, in_time);
            }
            Failure::Overloaded { bound } => !handled && self.is_full(life, entity, *bound),
            Failure::Corrupt { .. } if plan.flaw == Flaw::ReplayFails && sent.replays.is_some() => {
                self.coverage.saw(Seen::CorruptRecord);
                true
            }
            Failure::Corrupt { .. } => {
                self.coverage.saw(Seen::Corrupt);
                lost && !handled
            }
            Failure::ReplyDeleted { sequence_nr, .. } => {
                self.coverage.saw(Seen::ReplyDeleted);
                !handled && self.may_be_deleted(nr, sequence_nr.get())
            }
            Failure::CommandIdReused { .. } => {
                self.coverage.saw(Seen::IdReused);
                !handled && self.reuses_id(nr)
            }
            Failure::Panicked { .. } => {
                self.coverage.saw(panic_of(plan.flaw));
                plan.panics()
            }
            Failure::Invalid { .. } if plan.flaw == Flaw::RecordingFails && handled => {
                self.coverage.saw(Seen::RecordingFailed);
                true
            }
            failure => {
                self.coverage.saw(sight_of(failure));
                self.turned_away(nr) || self.mind(life, entity).troubles.explain(failure, step)
            }
        };
        if !explained {
            self.wrong(format!("{nr}: failed without a reason: {failure}"));
        }
        if !matches!(failure, Failure::OutcomeUnknown { .. }) {
            return End::NotApplied;
        }
        if !self.is_of_unknown_write(nr) {
            self.wrong(format!("{nr}: of unknown outcome, though no such write holds it"));
        }
        End::Unknown
    }

    /// A wait is ended from outside, late: of a command that was begun more is not known.
    pub(super) fn ended_early(&mut self, nr: u32, failure: &Failure) {
        let now = self.now;
        let sent = &self.sent[nr as usize];
        let maybe_applied = matches!(failure, Failure::Timeout { maybe_applied: true });
        if sent.end.is_some() || sent.order.deadline > now {
            self.wrong(format!("{nr}: ended early, as {failure}"));
        } else if sent.saw.is_some() && !maybe_applied {
            self.wrong(format!("{nr}: ended as not applied after it was handled"));
        }
        if !maybe_applied {
            self.deny(nr);
        }
        self.coverage.saw(Seen::EndedEarly);
        let end = if maybe_applied { End::TimedOut } else { End::NotApplied };
        self.sent[nr as usize].end = Some(end);
    }

    fn timed_out(&mut self, nr: u32, maybe_applied: bool, in_time: bool) -> End {
        if in_time {
            self.wrong(format!("{nr}: timed out before its time"));
        }
        if self.sent[nr as usize].saw.is_none() && self.firsts(nr).next().is_some() {
            self.coverage.saw(Seen::TimeoutOfRetry);
        }
        if maybe_applied {
            self.coverage.saw(Seen::TimeoutMaybeApplied);
            if !self.may_be_applied(nr) {
                self.wrong(format!("{nr}: maybe applied, though nothing of it can be"));
            }
            return End::TimedOut;
        }
        self.coverage.saw(Seen::TimeoutNotApplied);
        End::NotApplied
    }

    /// Whether it was never handed to its entity, because the engine stops, or may not show anything at the moment.
    fn turned_away(&self, nr: u32) -> bool {
        let sent = &self.sent[nr as usize];
        let life = sent.life.unwrap_or_default();
        let life = self.lives[life as usize];
        sent.saw.is_none() && (life.abandoned || life.closed || self.refuses)
    }
}

fn panic_of(flaw: Flaw) -> Seen {
    match flaw {
        Flaw::ApplyPanics => Seen::PanickedApply,
        Flaw::ConcludingPanics => Seen::PanickedConclusion,
        Flaw::EncodingPanics => Seen::PanickedEncoding,
        Flaw::RecordingPanics => Seen::PanickedRecording,
        Flaw::FingerprintPanics => Seen::PanickedFingerprint,
        Flaw::ReplayPanics => Seen::PanickedReplay,
        _ => Seen::PanickedHandler,
    }
}

fn sight_of(failure: &Failure) -> Seen {
    match failure {
        Failure::Conflict { .. } => Seen::ConflictInJournal,
        Failure::Invalid { .. } => Seen::InvalidForStore,
        Failure::OutcomeUnknown { .. } => Seen::OutcomeUnknown,
        _ => Seen::Unavailable,
    }
}
