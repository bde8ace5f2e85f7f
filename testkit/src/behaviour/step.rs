use super::{
    imprint::{Imprint, text_of},
    outcome::{Accepted, Changed, Outcome},
    spoken::Spoken,
    subject::Subject,
    verdict::Verdict,
};
use actum_model::{Entity, Handle, Lists, Metadata, Payload};
use std::{fmt::Debug, panic::Location};

/// A command that was handled: say what is expected of it, then hand over the next one.
///
/// Every `then_…` checks at once and panics when it does not hold. All but [`then_rejected`](Self::then_rejected) and
/// [`then_rejected_with`](Self::then_rejected_with) expect that the command was accepted; what may also be said of a
/// rejected one, such as [`then_state`](Self::then_state), comes behind those. A step of which nothing is said fails.
pub struct Step<E: Handle<C>, C: Payload> {
    pub(super) subject: Subject<E>,
    pub(super) outcome: Outcome<E, C>,
    pub(super) spoken: Spoken,
}

impl<E: Entity<Event: Debug> + Debug> Subject<E> {
    /// Performs a command as the next step.
    #[track_caller]
    pub(super) fn step<C>(mut self, command: &C, metadata: &Metadata) -> Step<E, C>
    where
        E: Handle<C, Reply: Debug>,
        C: Payload + Debug,
    {
        self.steps += 1;
        let what = format!("when {command:?}, step {} of {}", self.steps, self.name);
        let at = Location::caller();
        match self.perform(command, metadata) {
            Ok(outcome) => {
                let spoken = Spoken::nothing_yet(what, at, outcome.summary());
                Step { subject: self, outcome, spoken }
            }
            Err(why) => panic!("{what}: {why}"),
        }
    }
}

impl<E, C> Step<E, C>
where
    E: Handle<C, Reply: Debug> + Entity<Event: Debug> + Debug,
    C: Payload + Debug,
{
    /// Hands over the next command, to the state the last one left.
    ///
    /// # Panics
    /// When nothing was said of this step, or when a check of the next one fails; see [`Given`](super::Given).
    #[track_caller]
    #[must_use = "say what is expected: `.then_…(..)`"]
    pub fn when<D, I>(self, command: D) -> Step<E, D>
    where
        E: Handle<D, Reply: Debug>,
        D: Payload + Debug,
        E::Commands: Lists<D, I>,
    {
        self.when_with(command, Metadata::new())
    }

    /// As [`when`](Self::when), with metadata, such as a command id.
    ///
    /// Every command is handled, whatever its id: remembering ids is the engine's part.
    ///
    /// # Panics
    /// As [`when`](Self::when).
    #[track_caller]
    #[must_use = "say what is expected: `.then_…(..)`"]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a command is handed over, as it is to an entity"
    )]
    pub fn when_with<D, I>(self, command: D, metadata: Metadata) -> Step<E, D>
    where
        E: Handle<D, Reply: Debug>,
        D: Payload + Debug,
        E::Commands: Lists<D, I>,
    {
        self.spoken.end();
        self.subject.step(&command, &metadata)
    }

    /// The command is accepted, whatever it does: for steps that only lead to the one that matters.
    ///
    /// # Panics
    /// When it is rejected.
    #[track_caller]
    pub fn then_accepted(mut self) -> Self {
        self.accepted();
        self
    }

    /// The caller is answered with `expected`.
    ///
    /// # Panics
    /// When the command is rejected or answered otherwise.
    #[track_caller]
    pub fn then_reply(mut self, expected: E::Reply) -> Self {
        let expected = self.imprint("reply", &expected);
        let order = self.subject.rules.order;
        let reply = &self.accepted().reply_imprint;
        if !reply.same(&expected, order) {
            let difference = expected.difference(reply, order);
            self.fail(&format!(
                "the reply is not the expected one (- expected, + got){difference}"
            ));
        }
        self
    }

    /// The caller is answered with something that `verdict` agrees to, or makes assertions about.
    ///
    /// # Panics
    /// When the command is rejected, or `verdict` says `false` or panics.
    #[track_caller]
    pub fn then_reply_with<V: Verdict>(mut self, verdict: impl FnOnce(&E::Reply) -> V) -> Self {
        let accepted = self.accepted();
        if !verdict(&accepted.reply).agrees() {
            let text = indented(&accepted.reply_imprint.text);
            self.fail(&format!("the reply is not as expected:{text}"));
        }
        self
    }

    /// The entity refuses the command with `expected`, and nothing changes.
    ///
    /// # Panics
    /// When the command is accepted or refused for another reason.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is expected reads best without a reference"
    )]
    pub fn then_rejected(mut self, expected: E::Rejection) -> Self {
        let expected = self.imprint("rejection", &expected);
        let order = self.subject.rules.order;
        let (_, imprint) = self.rejected(&format!("to be rejected with {expected}"));
        if !imprint.same(&expected, order) {
            let difference = expected.difference(imprint, order);
            self.fail(&format!(
                "the rejection is not the expected one (- expected, + got){difference}"
            ));
        }
        self
    }

    /// The entity refuses the command with something that `verdict` agrees to, or makes assertions about.
    ///
    /// # Panics
    /// When the command is accepted, or `verdict` says `false` or panics.
    #[track_caller]
    pub fn then_rejected_with<V: Verdict>(
        mut self,
        verdict: impl FnOnce(&E::Rejection) -> V,
    ) -> Self {
        let (rejection, imprint) = self.rejected("to be rejected");
        if !verdict(rejection).agrees() {
            let text = indented(&imprint.text);
            self.fail(&format!("the rejection is not as expected:{text}"));
        }
        self
    }

    /// The state after the command is one that `verdict` agrees to, or makes assertions about.
    ///
    /// # Panics
    /// When the command is rejected and that was not said before, or `verdict` says `false` or panics.
    #[track_caller]
    pub fn then_state<V: Verdict>(mut self, verdict: impl FnOnce(&E) -> V) -> Self {
        self.settled();
        if !verdict(&self.subject.lives.live).agrees() {
            let text = indented(&text_of(&self.subject.lives.live));
            self.fail(&format!("the state is not as expected:{text}"));
        }
        self
    }

    /// The entity leaves memory once the change is durable.
    ///
    /// # Panics
    /// When the command is rejected, or the entity stays.
    #[track_caller]
    pub fn then_passivates(mut self) -> Self {
        if !self.accepted().passivate {
            self.fail("expected the entity to passivate, but it stays");
        }
        self
    }

    /// The entity stays in memory.
    ///
    /// # Panics
    /// When the command is rejected and that was not said before, or the entity passivates.
    #[track_caller]
    pub fn then_stays(mut self) -> Self {
        self.settled();
        if matches!(&self.outcome, Outcome::Accepted(accepted) if accepted.passivate) {
            self.fail("expected the entity to stay, but it passivates");
        }
        self
    }

    /// At this point of the story the entity has been written `revision` times: the number of its events, or of the
    /// changes of its durable state. It alone says nothing of the step before it.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn expect_revision(self, revision: u64) -> Self {
        let actual = self.subject.lives.sequence_nr.get();
        if actual != revision {
            self.fail(&format!(
                "expected revision {revision} behind it, the entity is at {actual}"
            ));
        }
        self
    }
}

impl<E: Handle<C>, C: Payload> Step<E, C> {
    /// Says that the command was accepted.
    #[track_caller]
    pub(super) fn accepted(&mut self) -> &Accepted<E, E::Reply> {
        self.spoken.say();
        match &self.outcome {
            Outcome::Accepted(accepted) => accepted,
            Outcome::Rejected { rejection, imprint } => self.fail(&format!(
                "expected it to be accepted, but it was rejected with {imprint} ({rejection})"
            )),
        }
    }

    #[track_caller]
    fn rejected(&mut self, expected: &str) -> (&E::Rejection, &Imprint) {
        self.spoken.expect_rejection();
        match &self.outcome {
            Outcome::Rejected { rejection, imprint } => (rejection, imprint),
            Outcome::Accepted(accepted) => {
                let summary = accepted.changed.summary();
                self.fail(&format!("expected it {expected}, but it was accepted: {summary}"))
            }
        }
    }

    /// Says that the command was accepted, unless its rejection was expected.
    #[track_caller]
    pub(super) fn settled(&mut self) {
        if !self.spoken.rejection_expected() {
            self.accepted();
        }
    }

    /// What was changed, if the command was accepted.
    pub(super) fn changed(&self) -> Option<&Changed> {
        match &self.outcome {
            Outcome::Accepted(accepted) => Some(&accepted.changed),
            Outcome::Rejected { .. } => None,
        }
    }

    /// What an expected value looks like.
    #[track_caller]
    pub(super) fn imprint<T: Payload + Debug>(&self, what: &str, value: &T) -> Imprint {
        match Imprint::of(value) {
            Ok(imprint) => imprint,
            Err(why) => self.fail(&format!("the expected {what} {value:?} is no valid one: {why}")),
        }
    }

    #[track_caller]
    pub(super) fn fail(&self, why: &str) -> ! {
        panic!("{}: {why}", self.spoken.what)
    }
}

pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("\n    {line}")).collect()
}
