use super::{
    imprint::{Imprint, ReadBack, list_difference, read_back},
    order::Order,
    rules::Rules,
    subject::differs,
};
use actum_model::{Change, Entity};
use std::fmt::Debug;

/// What a command changes, after a way through the codecs.
pub(super) enum Kept<E: Entity> {
    Nothing,
    Events(Vec<KeptEvent<E>>),
    Replaced { state: E, back: ReadBack<E> },
    Deleted,
}

pub(super) struct KeptEvent<E: Entity> {
    pub(super) event: E::Event,
    pub(super) back: ReadBack<E::Event>,
}

impl<E: Entity<Event: Debug>> Kept<E> {
    /// # Errors
    /// What does not survive its codec.
    pub(super) fn of(change: Change<E>, rules: &Rules<E>) -> Result<Self, String> {
        match change {
            Change::Nothing => Ok(Self::Nothing),
            Change::Event(event) => Self::of_events(vec![event], rules.order),
            Change::Events(events) => Self::of_events(events, rules.order),
            Change::Delete => Ok(Self::Deleted),
            Change::Replace(state) => {
                let codec =
                    rules.codec.expect("only a durable state is replaced, and it has a codec");
                let back = codec(&state, rules.order)
                    .map_err(|why| format!("the new state does not survive its codec: {why}"))?;
                Ok(Self::Replaced { state, back })
            }
        }
    }

    fn of_events(events: Vec<E::Event>, order: Order) -> Result<Self, String> {
        let keep = |event: E::Event| match read_back(&event, order) {
            Ok(back) => Ok(KeptEvent { event, back }),
            Err(why) => Err(format!("the event {event:?} does not survive its codec: {why}")),
        };
        match events.is_empty() {
            true => Ok(Self::Nothing),
            false => events.into_iter().map(keep).collect::<Result<_, _>>().map(Self::Events),
        }
    }

    /// # Errors
    /// In what the two are not the same.
    pub(super) fn check_same(&self, other: &Self, order: Order) -> Result<(), String> {
        let how = match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::Deleted, Self::Deleted) => return Ok(()),
            (Self::Events(a), Self::Events(b)) => {
                let (a, b) = (imprints(a), imprints(b));
                if a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.same(b, order)) {
                    return Ok(());
                }
                format!(" (- first, + then){}", list_difference(&a, &b))
            }
            (Self::Replaced { back: a, .. }, Self::Replaced { back: b, .. }) => {
                if a.imprint.same(&b.imprint, order) {
                    return Ok(());
                }
                format!(" (- first, + then){}", a.imprint.difference(&b.imprint, order))
            }
            _ => format!(": first it {}, then it {}", self.verb(), other.verb()),
        };
        Err(differs(&how))
    }

    fn verb(&self) -> String {
        match self {
            Self::Nothing => "changed nothing".into(),
            Self::Events(events) => format!("stored {} events", events.len()),
            Self::Replaced { .. } => "replaced the state".into(),
            Self::Deleted => "deleted the state".into(),
        }
    }
}

fn imprints<E: Entity>(events: &[KeptEvent<E>]) -> Vec<Imprint> {
    events.iter().map(|event| event.back.imprint.clone()).collect()
}
