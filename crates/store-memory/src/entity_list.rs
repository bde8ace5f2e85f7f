use actum_model::EntityKey;
use actum_persistence::store::{EntitySearch, ListedEntity, ListedState, Listing};

/// A page of entities, gathered from tables that have no order: the first ones by id of all that are wanted. Each page looks
/// at all entities.
pub(crate) struct EntityList<'a, T> {
    search: &'a EntitySearch,
    first: Vec<T>,
}

/// What can be listed.
pub(crate) trait Listed {
    fn entity(&self) -> &EntityKey;
}

impl<'a, T: Listed> EntityList<'a, T> {
    pub(crate) fn new(search: &'a EntitySearch) -> Self {
        Self { search, first: Vec::new() }
    }

    /// Adds what is in tables of these numbers from 0 on, until there is no such table.
    pub(crate) fn add_tables(&mut self, list: impl Fn(usize) -> Option<Vec<T>>) {
        let max = self.search.limit.get() as usize;
        for listed in (0..).map_while(list) {
            self.first.extend(listed);
            if self.first.len() > max {
                self.first.select_nth_unstable_by(max - 1, |a, b| a.entity().cmp(b.entity()));
                self.first.truncate(max);
            }
        }
    }

    pub(crate) fn finish(mut self) -> Listing<T> {
        self.first.sort_unstable_by(|a, b| a.entity().cmp(b.entity()));
        let looked_at = self.first.into_iter().map(|one| (one.entity().id().to_owned(), Some(one)));
        Listing::of_looked_at(self.search, looked_at.collect())
    }
}

impl Listed for ListedEntity {
    fn entity(&self) -> &EntityKey {
        &self.entity
    }
}

impl Listed for ListedState {
    fn entity(&self) -> &EntityKey {
        &self.entity
    }
}
