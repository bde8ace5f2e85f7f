use super::{Doubt, KnownSites, Place};
use crate::codec::format::Format;
use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
};

/// What is noted while one value is written.
pub(super) struct Audit<F> {
    known: KnownSites,
    untried: RefCell<Vec<u64>>,
    /// The first doubt about the value, and where.
    doubt: RefCell<Option<(Doubt, String)>>,
    /// Whether it is to be tried without a doubt of its own.
    always: Cell<bool>,
    level: Cell<u32>,
    /// The key of a map that was written last, as a hash; `None` if it is not text.
    key: Cell<Option<u64>>,
    format: PhantomData<F>,
}

/// What was noted.
pub(super) struct Findings {
    pub(super) doubt: Option<(Doubt, String)>,
    pub(super) untried: Vec<u64>,
}

impl<F: Format> Audit<F> {
    #[inline]
    pub(super) fn new(known: KnownSites) -> Self {
        Self {
            known,
            untried: RefCell::default(),
            doubt: RefCell::default(),
            always: Cell::new(false),
            level: Cell::new(0),
            key: Cell::new(None),
            format: PhantomData,
        }
    }

    /// Notes a part of the type, unless it is known.
    #[inline]
    pub(super) fn visit(&self, site: u64) {
        if !self.known.contains(site) {
            self.note(site);
        }
    }

    #[cold]
    fn note(&self, site: u64) {
        self.untried.borrow_mut().push(site);
    }

    /// Notes what depends on the value.
    #[cold]
    pub(super) fn doubt(&self, doubt: Doubt, place: &Place<'_>) {
        let mut first = self.doubt.borrow_mut();
        // the path of what is too deep would be as long as it is deep
        let path =
            if matches!(doubt, Doubt::TooDeep { .. }) { String::new() } else { place.to_string() };
        first.get_or_insert((doubt, path));
    }

    /// Has the value tried, whatever is known of its type.
    #[inline]
    pub(super) fn always_try(&self) {
        self.always.set(true);
    }

    /// Enters `levels` of nesting; `false` if they are so many that writing on could exhaust the stack.
    #[inline]
    pub(super) fn enter(&self, levels: u32, place: &Place<'_>) -> bool {
        let level = self.level.get() + levels;
        self.level.set(level);
        if level > F::LEVELS_MAX {
            self.doubt(Doubt::TooDeep { max: F::LEVELS_MAX }, place);
        }
        level <= F::LEVELS_MAX + 2
    }

    #[inline]
    pub(super) fn leave(&self, levels: u32) {
        self.level.set(self.level.get() - levels);
    }

    #[inline]
    pub(super) fn set_key(&self, hash: Option<u64>) {
        self.key.set(hash);
    }

    #[inline]
    pub(super) fn take_key(&self) -> Option<u64> {
        self.key.take()
    }

    /// What was noted; `None` when there is nothing to try.
    #[inline]
    pub(super) fn findings(self) -> Option<Findings> {
        let (doubt, untried) = (self.doubt.into_inner(), self.untried.into_inner());
        let tried = self.always.get() || doubt.is_some() || !untried.is_empty();
        tried.then_some(Findings { doubt, untried })
    }
}
