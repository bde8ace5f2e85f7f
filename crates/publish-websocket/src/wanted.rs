use actum::{Offset, StartAt};
use std::collections::HashMap;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) start_at: StartAt,
    pub(crate) of: WantedEvents,
}

/// Whose events it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WantedEvents {
    All,
    Kinds(Vec<String>),
    Entity { kind: String, id: String },
}

impl Wanted {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(parameters: &HashMap<String, String>) -> Result<Self, String> {
        let parameter = |name| parameters.get(name).map(String::as_str);
        let start_at = match parameter("after") {
            None => StartAt::Now,
            Some("beginning") => StartAt::Beginning,
            Some(text) => {
                StartAt::Behind(text.parse::<Offset>().map_err(|error| error.to_string())?)
            }
        };
        let of = match (parameter("kinds"), parameter("entity")) {
            (None, None) => WantedEvents::All,
            (Some(_), Some(_)) => {
                return Err("`kinds` and `entity` do not go together".to_owned());
            }
            (Some(kinds), None) => {
                WantedEvents::Kinds(kinds.split(',').map(str::to_owned).collect())
            }
            (None, Some(entity)) => {
                let (kind, id) = entity.split_once('/').ok_or_else(|| {
                    format!("`{entity}` is not an entity: its kind and id have a `/` between them")
                })?;
                WantedEvents::Entity { kind: kind.to_owned(), id: id.to_owned() }
            }
        };
        Ok(Self { start_at, of })
    }
}
