use super::{imprint::read_back, lives::Lives, rules::Rules};
use actum_model::{CommandSet, Entity, EntityId, EntityKey, SequenceNr};
use std::fmt::Debug;

/// What a test gives: the entity, a state, and events behind it.
pub(super) struct Arrangement<E: Entity> {
    pub(super) id: E::Id,
    pub(super) rules: Rules<E>,
    pub(super) state: Option<GivenState<E>>,
    pub(super) events: Vec<E::Event>,
}

/// A state that was given twice over, since applying events to one must come to the same as applying them to the other.
pub(super) struct GivenState<E> {
    pub(super) sequence_nr: SequenceNr,
    pub(super) state: E,
    pub(super) twin: E,
}

impl<E: Entity<Event: Debug> + Debug> Arrangement<E> {
    /// The name of the entity in reports.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", E::KIND, self.id.to_text())
    }

    /// Plays what was given.
    ///
    /// # Errors
    /// What is broken about it.
    pub(super) fn play(&mut self) -> Result<Lives<E>, String> {
        self.check_names()?;
        let mut lives = match self.state.take() {
            Some(given) => self.given(given)?,
            None => Lives::initial(&self.id, &self.rules)?,
        };
        let events = std::mem::take(&mut self.events);
        let count = events.len();
        for (index, event) in events.iter().enumerate() {
            let at = format!("event {} of {count}, {event:?}", index + 1);
            self.take_event(&mut lives, event).map_err(|why| format!("{at}: {why}"))?;
        }
        lives.check(&self.rules)?;
        Ok(lives)
    }

    fn check_names(&self) -> Result<(), String> {
        let text = self.id.to_text();
        EntityKey::new(E::KIND, &*text).map_err(|error| error.to_string())?;
        match E::Id::from_text(&text) {
            Ok(id) if id == self.id => {}
            Ok(other) => {
                return Err(format!("the id {:?} comes back from its text as {other:?}", self.id));
            }
            Err(error) => return Err(format!("the id cannot be read back from its text: {error}")),
        }
        let manifests = <E::Commands as CommandSet<E>>::MANIFESTS;
        let twice = (1..manifests.len()).find(|i| manifests[..*i].contains(&manifests[*i]));
        twice.map_or(Ok(()), |i| {
            Err(format!("two listed commands have the manifest `{}`", manifests[i]))
        })
    }

    fn given(&self, given: GivenState<E>) -> Result<Lives<E>, String> {
        let GivenState { sequence_nr, state, twin } = given;
        let Some(codec) = self.rules.codec else {
            return Ok(Lives { live: state, recovered: twin, sequence_nr });
        };
        let back = codec(&state, self.rules.order)
            .map_err(|why| format!("the state does not survive its codec: {why}"))?;
        Ok(Lives { live: state, recovered: back.value, sequence_nr })
    }

    fn take_event(&self, lives: &mut Lives<E>, event: &E::Event) -> Result<(), String> {
        let stored = read_back(event, self.rules.order)
            .map_err(|why| format!("the event does not survive its codec: {why}"))?;
        lives.take(&self.rules, event, &stored.value)
    }
}
