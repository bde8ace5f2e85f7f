use super::imprint::Imprint;
use actum_model::{Entity, Handle, Payload};

/// What a command came to.
pub(super) enum Outcome<E: Handle<C>, C: Payload> {
    /// It was handled.
    Accepted(Accepted<E, E::Reply>),
    /// It was refused.
    Rejected { rejection: E::Rejection, imprint: Imprint },
}

pub(super) struct Accepted<E: Entity, R> {
    pub(super) changed: Changed,
    /// The events themselves; [`Changed::Events`] has their imprints.
    pub(super) events: Vec<E::Event>,
    pub(super) reply: R,
    pub(super) reply_imprint: Imprint,
    pub(super) passivate: bool,
}

/// What a command changed.
pub(super) enum Changed {
    Nothing,
    Events(Vec<Imprint>),
    Replaced(Imprint),
    Deleted,
}

impl Changed {
    pub(super) fn events(&self) -> &[Imprint] {
        if let Self::Events(events) = self { events } else { &[] }
    }

    /// In the past tense, for a sentence that begins with the command.
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Nothing => "it changed nothing".to_owned(),
            Self::Events(events) => {
                let lines: Vec<&str> = events.iter().map(|event| event.line.as_str()).collect();
                format!("it stored {}", lines.join(", "))
            }
            Self::Replaced(state) => format!("it replaced the state by {state}"),
            Self::Deleted => "it deleted the state".to_owned(),
        }
    }
}

impl<E: Handle<C>, C: Payload> Outcome<E, C> {
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Accepted(accepted) => {
                format!("{}, and replied {}", accepted.changed.summary(), accepted.reply_imprint)
            }
            Self::Rejected { rejection, imprint } => {
                format!("it was rejected with {imprint} ({rejection})")
            }
        }
    }
}
