use super::{entry::Entry, file::GoldenFile, section::Section};
use crate::behaviour::order::Order;
use actum_model::{Entity, EventSourced, Handle, Payload};
use std::{marker::PhantomData, path::PathBuf};

/// Keeps what an entity stores today in a file of your repository, and holds every later build to it: see
/// [`Given::golden`](super::super::Given::golden).
#[must_use = "nothing is checked before `.check()`"]
pub struct Golden<E: Entity> {
    path: PathBuf,
    order: Order,
    sections: Vec<Section>,
    entity: PhantomData<fn() -> E>,
}

/// Set, values that are not in the file yet are added to it.
const BLESS: &str = "ACTUM_BLESS";

impl<E: Entity> Golden<E> {
    pub(in crate::behaviour) fn at(path: PathBuf) -> Self {
        Self { path, order: Order::Matters, sections: Vec::new(), entity: PhantomData }
    }

    /// These are events of today: best one of each variant, with every optional part once present and once absent.
    pub fn events(self, events: impl IntoIterator<Item = E::Event>) -> Self
    where
        E: EventSourced,
    {
        self.with("event".to_owned(), events)
    }

    /// These are states of today: durable states, or what snapshots hold.
    pub fn states(self, states: impl IntoIterator<Item = E>) -> Self
    where
        E: Payload,
    {
        self.with("state".to_owned(), states)
    }

    /// These are replies to the command `C` of today: they are stored beside events whose command carries a command id.
    pub fn replies<C: Payload>(self, replies: impl IntoIterator<Item = E::Reply>) -> Self
    where
        E: Handle<C>,
    {
        self.with(format!("reply {}", C::MANIFEST), replies)
    }

    /// Compares encodings regardless of the order of their bytes: for values that hold hash maps or sets, whose order is
    /// chance.
    ///
    /// A weaker check: prefer `BTreeMap` in what is stored.
    pub fn unordered(self) -> Self {
        Self { order: Order::IsChance, ..self }
    }

    /// Reads every line of the file with the types of today, and looks for the given values in it.
    ///
    /// # Panics
    /// When a line cannot be read any more; when one in today's schema version would be written otherwise today, so that
    /// the version should have been raised; and when a value is not in the file, unless `ACTUM_BLESS=1` is set, which
    /// adds it. All that is wrong is listed at once.
    #[track_caller]
    pub fn check(self) {
        if let Err(why) = self.checked() {
            panic!("golden {}: {why}", E::KIND);
        }
    }

    fn with<T: Payload>(mut self, label: String, values: impl IntoIterator<Item = T>) -> Self {
        self.sections.push(Section::of(label, values));
        self
    }

    fn checked(&self) -> Result<(), String> {
        let file = GoldenFile::read(&self.path)?;
        let mut problems: Vec<String> =
            file.entries.iter().filter_map(|(nr, entry)| self.problem_of(*nr, entry)).collect();
        let today = || self.sections.iter().flat_map(|section| &section.today);
        problems.extend(today().filter_map(|value| value.as_ref().err().cloned()));
        if !problems.is_empty() {
            return Err(problems.join("\n  "));
        }
        let missing: Vec<Entry> =
            today().flatten().filter(|entry| !self.holds(&file, entry)).cloned().collect();
        if missing.is_empty() {
            return match file.entries.is_empty() {
                true => Err("no value is given: `.events(..)`, `.states(..)`".to_owned()),
                false => Ok(()),
            };
        }
        if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
            let cannot = |error| format!("{} cannot be written: {error}", self.path.display());
            return file.append(&missing).map_err(cannot);
        }
        let lines: String = missing.iter().map(|entry| format!("\n    + {entry}")).collect();
        Err(format!(
            "{} lacks values of today; run this test with {BLESS}=1 to add them, and commit the file{lines}",
            self.path.display()
        ))
    }

    fn problem_of(&self, nr: usize, entry: &Entry) -> Option<String> {
        let Entry { label, stored } = entry;
        let section = self.sections.iter().find(|section| section.label == *label);
        let why = match section {
            Some(section) => section.check(&entry.stored, self.order).err()?,
            None => format!("the test gives no values of `{label}`, so nothing can read it"),
        };
        let (path, manifest, version) =
            (self.path.display(), &stored.manifest, stored.schema_version);
        Some(format!("{path}, line {nr}, `{manifest}` in schema version {version}: {why}"))
    }

    fn holds(&self, file: &GoldenFile, wanted: &Entry) -> bool {
        file.entries.iter().any(|(_, entry)| {
            let (a, b) = (&entry.stored, &wanted.stored);
            entry.label == wanted.label
                && (&a.codec, &a.manifest, a.schema_version)
                    == (&b.codec, &b.manifest, b.schema_version)
                && self.order.same_bytes(&a.bytes, &b.bytes)
        })
    }
}
