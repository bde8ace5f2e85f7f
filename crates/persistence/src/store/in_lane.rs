use super::{ChangePage, ChangedState, JournalEvent, LanePage};
use actum_model::Position;

/// What has a place in a lane, and is read from there in pages.
pub trait InLane: Sized {
    /// A page of these.
    type Page;

    /// Its place.
    fn position(&self) -> Position;

    /// Its bytes, as the limit of a page counts them.
    fn bytes(&self) -> usize;

    /// A page of these, which reaches up to `read_to`.
    fn page(items: Vec<Self>, read_to: Position) -> Self::Page;
}

impl InLane for JournalEvent {
    type Page = LanePage;

    fn position(&self) -> Position {
        self.event.position
    }

    fn bytes(&self) -> usize {
        self.event.bytes()
    }

    fn page(items: Vec<Self>, read_to: Position) -> LanePage {
        LanePage::new(items, read_to)
    }
}

impl InLane for ChangedState {
    type Page = ChangePage;

    fn position(&self) -> Position {
        self.position
    }

    fn bytes(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.bytes.len())
    }

    fn page(items: Vec<Self>, read_to: Position) -> ChangePage {
        ChangePage::new(items, read_to)
    }
}
