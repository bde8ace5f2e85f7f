//! What only an event-sourced entity does.

use super::{
    imprint::{Imprint, list_difference},
    outcome::Changed,
    step::{Step, indented},
    verdict::Verdict,
};
use actum_model::{Entity, EventSourced, Handle, Payload};
use std::fmt::Debug;

impl<E, C> Step<E, C>
where
    E: EventSourced + Handle<C, Reply: Debug> + Entity<Event: Debug> + Debug,
    C: Payload + Debug,
{
    /// These events are stored, in this order, and no others.
    ///
    /// # Panics
    /// When the command is rejected or stores others.
    #[track_caller]
    pub fn then_events(mut self, expected: impl IntoIterator<Item = E::Event>) -> Self {
        let expected: Vec<Imprint> =
            expected.into_iter().map(|event| self.imprint("event", &event)).collect();
        let order = self.subject.rules.order;
        let events = self.accepted().changed.events();
        let same = events.len() == expected.len()
            && events.iter().zip(&expected).all(|(a, b)| a.same(b, order));
        if !same {
            let difference = list_difference(&expected, events);
            self.fail(&format!(
                "the events are not the expected ones (- expected, + got){difference}"
            ));
        }
        self
    }

    /// Events are stored that `verdict` agrees to, or makes assertions about.
    ///
    /// # Panics
    /// When the command is rejected, or `verdict` says `false` or panics.
    #[track_caller]
    pub fn then_events_with<V: Verdict>(mut self, verdict: impl FnOnce(&[E::Event]) -> V) -> Self {
        let accepted = self.accepted();
        if !verdict(&accepted.events).agrees() {
            let lines: Vec<&str> =
                accepted.changed.events().iter().map(|event| event.line.as_str()).collect();
            let text = if lines.is_empty() {
                " there are none".into()
            } else {
                indented(&lines.join("\n"))
            };
            self.fail(&format!("the events are not as expected:{text}"));
        }
        self
    }

    /// Nothing is stored.
    ///
    /// # Panics
    /// When the command is rejected and that was not said before, or stores events.
    #[track_caller]
    pub fn then_no_events(mut self) -> Self {
        self.settled();
        let events = self.changed().map_or(&[][..], Changed::events);
        if !events.is_empty() {
            let difference = list_difference(&[], events);
            self.fail(&format!("expected no events (+ got){difference}"));
        }
        self
    }
}
