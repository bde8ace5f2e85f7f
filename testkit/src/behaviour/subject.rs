use super::{
    difference::difference,
    imprint::{read_back, text_of},
    lives::Lives,
    outcome::Outcome,
    rules::Rules,
};
use actum_model::{Codec, Ctx, Effect, EffectParts, Entity, Handle, Metadata, Payload};
use actum_persistence::panics::guard;
use std::fmt::Debug;

/// The entity under test, between two steps.
pub(super) struct Subject<E: Entity> {
    pub(super) id: E::Id,
    pub(super) name: String,
    pub(super) env: E::Env,
    pub(super) rules: Rules<E>,
    pub(super) lives: Lives<E>,
    pub(super) steps: usize,
}

/// What a handler returned.
type Decided<E, C> = Result<EffectParts<E, <E as Handle<C>>::Reply>, <E as Handle<C>>::Rejection>;

/// A retry is known by its content: a command that was sent looks the same as one that was not.
fn check_fingerprint<C: Payload>(command: &C, again: &C) -> Result<(), String> {
    let of =
        |command: &C| <C::Codec as Codec<C>>::fingerprint(command).map_err(|why| why.to_string());
    if of(command)? == of(again)? {
        return Ok(());
    }
    Err("the command has another fingerprint once it was encoded and decoded: with a command id its retry would be \
         refused as another command; a sequence without an order, such as a `HashSet`, does that"
        .to_owned())
}

impl<E: Entity<Event: Debug> + Debug> Subject<E> {
    /// Hands over a command and makes every check that costs the test nothing.
    ///
    /// # Errors
    /// The check that failed.
    pub(super) fn perform<C>(
        &mut self,
        command: &C,
        metadata: &Metadata,
    ) -> Result<Outcome<E, C>, String>
    where
        E: Handle<C, Reply: Debug>,
        C: Payload + Debug,
    {
        let sent = read_back(command, self.rules.order)
            .map_err(|why| format!("the command does not survive its codec: {why}"))?;
        let again: C = sent.imprint.decode()?;
        check_fingerprint(command, &again)?;
        let first = self.decide(sent.value, metadata)?;
        let second = match self.rules.handled_twice {
            true => Some(self.decide(again, metadata)?),
            false => None,
        };
        match (first, second) {
            (Ok(first), Some(Ok(second))) => self.settle::<C>(first, Some(second)),
            (Ok(first), None) => self.settle::<C>(first, None),
            (Err(first), Some(Err(second))) => self.refuse::<C>(first, Some(&second)),
            (Err(first), None) => self.refuse::<C>(first, None),
            (Ok(_), Some(Err(no))) => {
                Err(differs(&format!(": first it was accepted, then rejected with {no:?}")))
            }
            (Err(no), Some(Ok(_))) => {
                Err(differs(&format!(": first it was rejected with {no:?}, then accepted")))
            }
        }
    }

    fn decide<C>(&self, command: C, metadata: &Metadata) -> Result<Decided<E, C>, String>
    where
        E: Handle<C>,
        C: Payload,
    {
        let before = text_of(&self.lives.live);
        let ctx = Ctx::new(&self.id, &self.env, self.lives.sequence_nr, metadata);
        let decided = guard(|| self.lives.live.handle(command, &ctx).map(Effect::into_parts))
            .map_err(|panic| format!("the handler panicked: {panic}"))?;
        let after = text_of(&self.lives.live);
        if self.rules.order.same_text(&before, &after) {
            return Ok(decided);
        }
        let difference = difference(&before, &after);
        Err(format!("the handler changed the state it was given (- before, + after){difference}"))
    }
}

/// The report of a handler that is not a function of state, command and context.
pub(super) fn differs(how: &str) -> String {
    format!("handling it twice on the same state gives two outcomes{how}")
}
