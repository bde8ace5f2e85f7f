use super::{
    difference::difference,
    imprint::{Imprint, text_of},
    rules::Rules,
};
use actum_model::{Entity, SequenceNr};
use actum_persistence::panics::guard;
use std::fmt::Debug;

/// The value inside an entity, as it is in memory and as a recovery would find it.
pub(super) struct Lives<E> {
    /// Has seen the events as handlers made them.
    pub(super) live: E,
    /// Has seen what the stored events decode to.
    pub(super) recovered: E,
    pub(super) sequence_nr: SequenceNr,
}

impl<E: Entity + Debug> Lives<E> {
    /// Before anything happened.
    pub(super) fn initial(id: &E::Id, rules: &Rules<E>) -> Result<Self, String> {
        let initial =
            || guard(|| E::initial(id)).map_err(|panic| format!("`initial` panicked: {panic}"));
        let lives = Self { live: initial()?, recovered: initial()?, sequence_nr: SequenceNr::ZERO };
        let (first, second) = (text_of(&lives.live), text_of(&lives.recovered));
        if rules.order.same_text(&first, &second) {
            return Ok(lives);
        }
        let (difference, advice) =
            (difference(&first, &second), rules.order.advice(&first, &second));
        Err(format!("`initial` makes another state each time{difference}{advice}"))
    }

    /// Applies an event, and what it decodes to.
    pub(super) fn take(
        &mut self,
        rules: &Rules<E>,
        event: &E::Event,
        stored: &E::Event,
    ) -> Result<(), String> {
        guard(|| (rules.apply)(&mut self.live, event))
            .map_err(|panic| format!("`apply` panicked: {panic}"))?;
        guard(|| (rules.apply)(&mut self.recovered, stored))
            .map_err(|panic| format!("`apply` panicked on replay: {panic}"))?;
        self.sequence_nr = self.sequence_nr.next();
        Ok(())
    }

    /// Both must be one state, and survive the codec where the state has one.
    pub(super) fn check(&self, rules: &Rules<E>) -> Result<(), String> {
        let (live, recovered) = (text_of(&self.live), text_of(&self.recovered));
        if !rules.order.same_text(&live, &recovered) {
            let (difference, advice) =
                (difference(&live, &recovered), rules.order.advice(&live, &recovered));
            return Err(format!(
                "replaying the stored events gives another state (- applied, + replayed){difference}{advice}"
            ));
        }
        let Some(codec) = rules.codec else { return Ok(()) };
        let survives = |state: &E| -> Result<Imprint, String> {
            let back = codec(state, rules.order);
            Ok(back.map_err(|why| format!("the state does not survive its codec: {why}"))?.imprint)
        };
        let (live, recovered) = (survives(&self.live)?, survives(&self.recovered)?);
        if live.same(&recovered, rules.order) {
            return Ok(());
        }
        let difference = live.difference(&recovered, rules.order);
        Err(format!(
            "replaying the stored events gives another state (- applied, + replayed){difference}"
        ))
    }
}
