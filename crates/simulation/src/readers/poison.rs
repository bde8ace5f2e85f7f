use crate::{Dice, journal::EventAtNr};
use actum_reader::segment::FailedBy;
use std::collections::BTreeMap;

/// Which events cannot be handled, and why. It is found out when one is handled first.
#[derive(Default)]
pub(super) struct Poison(BTreeMap<EventAtNr, Option<FailedBy>>);

impl Poison {
    /// Why the event cannot be handled; so many of a thousand cannot that were not handled before.
    pub(super) fn of(
        &mut self,
        event: EventAtNr,
        per_mille: u64,
        dice: &mut Dice,
    ) -> Option<FailedBy> {
        *self.0.entry(event).or_insert_with(|| {
            let causes =
                [FailedBy::Handler, FailedBy::Handler, FailedBy::Damage, FailedBy::UnknownType];
            dice.chance(per_mille).then(|| causes[dice.place(4)])
        })
    }

    /// Everything that is known can be handled from now on.
    pub(super) fn mend(&mut self) {
        self.0.values_mut().for_each(|cause| *cause = None);
    }
}
