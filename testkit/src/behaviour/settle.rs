//! What follows a handler's decision: both times it was handled are compared, and the first one is carried out.

use super::{
    difference::difference,
    imprint::{Imprint, read_back, text_of},
    kept::Kept,
    lives::Lives,
    outcome::{Accepted, Changed, Outcome},
    subject::{Subject, differs},
};
use actum_model::{EffectParts, Entity, Handle, Payload, ReplyFrom};
use actum_persistence::panics::guard;
use std::fmt::Debug;

impl<E: Entity<Event: Debug> + Debug> Subject<E> {
    pub(super) fn refuse<C>(
        &self,
        rejection: E::Rejection,
        second: Option<&E::Rejection>,
    ) -> Result<Outcome<E, C>, String>
    where
        E: Handle<C>,
        C: Payload,
    {
        let imprint = read_back(&rejection, self.rules.order)
            .map_err(|why| {
                format!("the rejection {rejection:?} does not survive its codec: {why}")
            })?
            .imprint;
        self.check_same(&imprint, second)?;
        Ok(Outcome::Rejected { rejection, imprint })
    }

    pub(super) fn settle<C>(
        &mut self,
        first: EffectParts<E, E::Reply>,
        second: Option<EffectParts<E, E::Reply>>,
    ) -> Result<Outcome<E, C>, String>
    where
        E: Handle<C, Reply: Debug>,
        C: Payload,
    {
        let EffectParts { change, reply, after_commit, passivate } = first;
        let kept = Kept::of(change, &self.rules)?;
        let mut second_reply = None;
        if let Some(second) = second {
            kept.check_same(&Kept::of(second.change, &self.rules)?, self.rules.order)?;
            if second.passivate != passivate {
                return Err(differs(": one passivates the entity, the other does not"));
            }
            second_reply = Some(second.reply);
        }
        let (changed, events) = self.take(kept)?;
        let reply = self.answer(reply)?;
        let reply_imprint = read_back(&reply, self.rules.order)
            .map_err(|why| format!("the reply {reply:?} does not survive its codec: {why}"))?
            .imprint;
        let second_reply = second_reply.map(|reply| self.answer(reply)).transpose()?;
        self.check_same(&reply_imprint, second_reply.as_ref())?;
        if let Some(action) = after_commit {
            guard(action).map_err(|panic| format!("`after_commit` panicked: {panic}"))?;
        }
        Ok(Outcome::Accepted(Accepted { changed, events, reply, reply_imprint, passivate }))
    }

    fn take(&mut self, kept: Kept<E>) -> Result<(Changed, Vec<E::Event>), String> {
        let mut events = Vec::new();
        let changed = match kept {
            Kept::Nothing => return Ok((Changed::Nothing, events)),
            Kept::Events(kept) => {
                let mut imprints = Vec::with_capacity(kept.len());
                for one in kept {
                    self.lives
                        .take(&self.rules, &one.event, &one.back.value)
                        .map_err(|why| format!("the event {}: {why}", one.back.imprint))?;
                    events.push(one.event);
                    imprints.push(one.back.imprint);
                }
                Changed::Events(imprints)
            }
            Kept::Replaced { state, back } => {
                let sequence_nr = self.lives.sequence_nr.next();
                self.lives = Lives { live: state, recovered: back.value, sequence_nr };
                Changed::Replaced(back.imprint)
            }
            Kept::Deleted => {
                let sequence_nr = self.lives.sequence_nr.next();
                self.lives = Lives { sequence_nr, ..Lives::initial(&self.id, &self.rules)? };
                Changed::Deleted
            }
        };
        self.lives.check(&self.rules)?;
        Ok((changed, events))
    }

    fn answer<R>(&self, reply: ReplyFrom<E, R>) -> Result<R, String> {
        let state = &self.lives.live;
        let reply = match reply {
            ReplyFrom::Value(value) => return Ok(value),
            ReplyFrom::State(reply) => reply,
        };
        let before = text_of(state);
        let value =
            guard(|| reply(state)).map_err(|panic| format!("`reply_with` panicked: {panic}"))?;
        let after = text_of(state);
        if self.rules.order.same_text(&before, &after) {
            return Ok(value);
        }
        let difference = difference(&before, &after);
        Err(format!("`reply_with` changed the state it was given (- before, + after){difference}"))
    }

    /// Compares the answer of the first time with that of the second.
    fn check_same<T: Payload + Debug>(
        &self,
        first: &Imprint,
        second: Option<&T>,
    ) -> Result<(), String> {
        let Some(second) = second.map(Imprint::of).transpose()? else { return Ok(()) };
        if first.same(&second, self.rules.order) {
            return Ok(());
        }
        let difference = first.difference(&second, self.rules.order);
        Err(differs(&format!(" (- first, + then){difference}")))
    }
}
