use crate::medium::Medium;
use std::fmt;

/// What a row is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) what: &'static str,
    pub(crate) medium: Option<Medium>,
    pub(crate) callers: Option<u32>,
    pub(crate) entities: Option<u32>,
    /// Whether the journal holds many more entities.
    pub(crate) held: bool,
}

impl Name {
    pub(crate) fn of(what: &'static str) -> Self {
        Self { what, medium: None, callers: None, entities: None, held: false }
    }

    /// The row of commands that persist an event each.
    pub(crate) fn persisting(medium: Medium, callers: u32, entities: u32, held: bool) -> Self {
        Self::of("persist").on(medium).callers(callers).entities(entities).held(held)
    }

    pub(crate) fn on(self, medium: Medium) -> Self {
        Self { medium: Some(medium), ..self }
    }

    pub(crate) fn callers(self, callers: u32) -> Self {
        Self { callers: Some(callers), ..self }
    }

    pub(crate) fn entities(self, entities: u32) -> Self {
        Self { entities: Some(entities), ..self }
    }

    pub(crate) fn held(self, held: bool) -> Self {
        Self { held, ..self }
    }

    /// Whether the row has all of these words.
    pub(crate) fn has(&self, words: &str) -> bool {
        let own = self.to_string();
        words.split_whitespace().all(|word| own.split([' ', ',']).any(|other| other == word))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if let Some(medium) = self.medium {
            write!(f, ", {}", medium.word())?;
        }
        if let Some(lanes) = self.medium.and_then(Medium::lanes) {
            write!(f, " l{lanes}")?;
        }
        if let Some(callers) = self.callers {
            write!(f, " c{callers}")?;
        }
        if let Some(entities) = self.entities {
            write!(f, " e{entities}")?;
        }
        if self.held { f.write_str(" held") } else { Ok(()) }
    }
}
