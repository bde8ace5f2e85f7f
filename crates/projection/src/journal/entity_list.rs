use super::{
    ReadError,
    page_reader::{PageRead, PageReader, Pages},
};
use actum_persistence::store::{EntitySearch, Listing, StoreError};
use std::{fmt, num::NonZeroU32, pin::Pin};

/// Entities of a kind, in the order of the bytes of their ids.
///
/// What is set must be set before the first [`next`](Self::next), which begins to read. An entity that is written for the
/// first time meanwhile is listed if its id lies behind what was read.
#[must_use = "nothing is read before the first `next`"]
pub struct EntityList<T: Send + 'static> {
    reader: PageReader<ListPages<T>>,
}

/// Reads a page.
pub(super) type List<T> = Box<dyn Fn(EntitySearch) -> ListRead<T> + Send>;
pub(super) type ListRead<T> = Pin<Box<dyn Future<Output = Result<Listing<T>, StoreError>> + Send>>;

struct ListPages<T> {
    list: List<T>,
    search: EntitySearch,
    is_read: bool,
}

/// How many entities a page has.
const PAGE_ENTITIES: NonZeroU32 = NonZeroU32::new(500).expect("it is not 0");

impl<T: Send + 'static> EntityList<T> {
    pub(super) fn new(kind: String, list: List<T>) -> Self {
        let (id_prefix, after) = (String::new(), String::new());
        let search = EntitySearch { kind, id_prefix, after, limit: PAGE_ENTITIES };
        Self { reader: PageReader::new(ListPages { list, search, is_read: false }) }
    }

    /// Only those whose id begins with `prefix`.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.set(|search| search.id_prefix = prefix.into())
    }

    /// Begins behind the entity of this id, whether there is one or not.
    pub fn after(self, id: impl Into<String>) -> Self {
        self.set(|search| search.after = id.into())
    }

    /// How many entities a page looks at, at most
    /// [`LISTED_MAX`](actum_persistence::store::bounds::LISTED_MAX); 500 by default. Twice as many may be in memory.
    pub fn page_entities(self, entities: NonZeroU32) -> Self {
        self.set(|search| search.limit = entities)
    }

    /// The next entity; none behind the last one.
    ///
    /// # Errors
    /// [`ReadError::Store`]; asking again reads from the same place.
    ///
    /// # Cancel safety
    /// Dropping the future loses no entity.
    ///
    /// # Panics
    /// Outside of a tokio runtime, or when the store panics.
    pub async fn next(&mut self) -> Result<Option<T>, ReadError> {
        self.reader.next().await
    }

    fn set(mut self, set: impl FnOnce(&mut EntitySearch)) -> Self {
        if let Some(pages) = self.reader.unread() {
            set(&mut pages.search);
        }
        self
    }
}

impl<T: Send + 'static> Pages for ListPages<T> {
    type Item = T;

    async fn read(&mut self) -> PageRead<T> {
        if self.is_read {
            return Ok(None);
        }
        let reading = (self.list)(self.search.clone());
        let page = reading.await?;
        match page.listed_to {
            Some(listed_to) => self.search.after = listed_to,
            None => self.is_read = true,
        }
        Ok(Some(page.entities))
    }
}

impl<T: Send + 'static> fmt::Debug for EntityList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityList").finish_non_exhaustive()
    }
}
