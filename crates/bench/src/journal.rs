//! The journals that are written while rows are measured.

use crate::{
    account::{Account, account_id, deposited},
    counted::{Counted, Counts},
    medium::Medium,
    postgres::{Database, Server},
    site::Site,
};
use actum::{
    Entity, EntityKey, Lane, MemoryStore, SequenceNr, SqliteStore, StoredPayload,
    store::{
        AppendBatch, AppendOutcome, EntityAppend, EventStore, Incarnation, NewEvent, Stores,
        WriterClaim,
    },
};
use anyhow::{Context, Result, ensure};
use std::{
    cell::OnceCell,
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// A journal in memory, or in a file or a database of its own that is deleted with it.
pub(crate) struct Journal {
    pub(crate) stores: Stores,
    /// Counts what is appended.
    pub(crate) counts: Arc<Counts>,
    pub(crate) place: Place,
}

/// Where a journal is, to be deleted in the end.
pub(crate) enum Place {
    Memory,
    File(TempDir),
    Database(Box<Database>),
}

/// How many events go into one transaction when a journal is filled.
const FILL_BATCH: u32 = 1_000;

/// The name of the journal in its directory.
pub(crate) const FILE: &str = "bench.db";

impl Journal {
    pub(crate) fn in_memory() -> Self {
        Self::over(Stores::of(MemoryStore::new()), Place::Memory)
    }

    /// An empty journal.
    pub(crate) async fn empty(medium: Medium, site: &Site) -> Result<Self> {
        match medium {
            Medium::Memory => Ok(Self::in_memory()),
            Medium::Sqlite => {
                let directory = tempfile::tempdir_in(&site.directory)?;
                let store = SqliteStore::open(directory.path().join(FILE)).await?;
                Ok(Self::over(Stores::of(store), Place::File(directory)))
            }
            Medium::Postgres { lanes } => {
                let database = Database::create(site.postgres()?).await?;
                let store = database.store(lanes).await?;
                database.settle().await;
                Ok(Self::over(Stores::of(store), Place::Database(Box::new(database))))
            }
        }
    }

    /// A journal of so many entities with so many events each.
    pub(crate) async fn filled(
        medium: Medium,
        site: &Site,
        entities: u32,
        events_each: u32,
    ) -> Result<Self> {
        let journal = Self::empty(medium, site).await?;
        fill(&journal.stores, entities, events_each).await?;
        if let Place::Database(database) = &journal.place {
            database.settle().await;
        }
        Ok(journal)
    }

    fn over(stores: Stores, place: Place) -> Self {
        let counts = Arc::new(Counts::default());
        let events: Arc<dyn EventStore> =
            Arc::new(Counted::new(Arc::clone(&stores.events), Arc::clone(&counts)));
        Self { stores: stores.with_events(events), counts, place }
    }

    /// Closes and deletes it.
    pub(crate) async fn delete(self) -> Result<()> {
        self.stores.close().await;
        self.place.delete().await
    }
}

impl Place {
    /// Deletes a journal that is closed.
    pub(crate) async fn delete(self) -> Result<()> {
        match self {
            Self::Memory => Ok(()),
            Self::File(directory) => directory.close().context("deleting a journal"),
            Self::Database(database) => database.delete().await,
        }
    }
}

/// Journals that hold many entities before anything is measured: filled once, and copied for every row.
pub(crate) struct Prefilled {
    pub(crate) entities: u32,
    directory: PathBuf,
    file: OnceCell<TempDir>,
    database: OnceCell<Database>,
}

impl Prefilled {
    pub(crate) fn new(entities: u32, directory: PathBuf) -> Self {
        Self { entities, directory, file: OnceCell::new(), database: OnceCell::new() }
    }

    /// A journal with these entities, one event each.
    pub(crate) async fn journal(&self, medium: Medium, site: &Site) -> Result<Journal> {
        match medium {
            Medium::Memory => Journal::filled(medium, site, self.entities, 1).await,
            Medium::Sqlite => {
                let directory = self.file().await?;
                let store = SqliteStore::open(directory.path().join(FILE)).await?;
                Ok(Journal::over(Stores::of(store), Place::File(directory)))
            }
            Medium::Postgres { lanes } => {
                let database = self.database(site.postgres()?).await?;
                let store = database.store(lanes).await?;
                Ok(Journal::over(Stores::of(store), Place::Database(Box::new(database))))
            }
        }
    }

    /// A copy of the file with these entities.
    pub(crate) async fn file(&self) -> Result<TempDir> {
        if self.file.get().is_none() {
            let directory = tempfile::tempdir_in(&self.directory)?;
            let store = Stores::of(SqliteStore::open(directory.path().join(FILE)).await?);
            fill(&store, self.entities, 1).await?;
            store.close().await;
            let _ = self.file.set(directory);
        }
        let original = self.file.get().expect("it was just filled");
        let copy = tempfile::tempdir_in(&self.directory)?;
        fs::copy(original.path().join(FILE), copy.path().join(FILE))?;
        // or the row that is measured next waits for the disk to take the copy
        fs::File::open(copy.path().join(FILE))?.sync_all()?;
        Ok(copy)
    }

    /// A copy of the database with these entities; its journal has one lane.
    pub(crate) async fn database(&self, server: &Server) -> Result<Database> {
        if self.database.get().is_none() {
            let database = Database::create(server).await?;
            let store = Stores::of(database.store(1).await?);
            fill(&store, self.entities, 1).await?;
            store.close().await;
            let _ = self.database.set(database);
        }
        let original = self.database.get().expect("it was just filled");
        let copy = original.copy(server).await?;
        copy.settle().await;
        Ok(copy)
    }

    /// Deletes what copies were made of.
    pub(crate) async fn delete(self) -> Result<()> {
        if let Some(directory) = self.file.into_inner() {
            directory.close()?;
        }
        match self.database.into_inner() {
            Some(database) => database.delete().await,
            None => Ok(()),
        }
    }
}

/// Claims a journal for an hour.
pub(crate) async fn claim(stores: &Stores) -> Result<Incarnation> {
    claim_slot(stores, "journal").await
}

/// Claims a writer slot for an hour.
pub(crate) async fn claim_slot(stores: &Stores, slot: &str) -> Result<Incarnation> {
    let claim = WriterClaim {
        slot: slot.to_owned(),
        holder: "bench".to_owned(),
        lease: Duration::from_secs(3_600),
        replaces: None,
    };
    Ok(stores.writers.claim(&claim).await?)
}

async fn fill(stores: &Stores, entities: u32, events_each: u32) -> Result<()> {
    let incarnation = claim(stores).await?;
    let mut next_nr = 1;
    let rows = FILL_BATCH.min(events_each.max(1));
    let entities_a_batch = (FILL_BATCH / rows).max(1);
    for first in (0..entities).step_by(entities_a_batch as usize) {
        let chosen = first..entities.min(first + entities_a_batch);
        for expected in (0..events_each).step_by(rows as usize) {
            let count = rows.min(events_each - expected);
            let append = |nr| append(stores, nr, expected, count, &mut next_nr);
            let appends = chosen.clone().map(append).collect::<Result<Vec<_>>>()?;
            write(stores, incarnation, appends).await?;
        }
    }
    stores.writers.release(incarnation).await?;
    Ok(())
}

fn append(
    stores: &Stores,
    nr: u32,
    expected: u32,
    count: u32,
    next_nr: &mut u64,
) -> Result<EntityAppend> {
    let entity = EntityKey::new(Account::KIND, account_id(nr))?;
    let partition = entity.partition(stores.events.layout().partitions);
    let event = |index| -> Result<NewEvent> {
        let payload = StoredPayload::encode(&deposited(1, u64::from(nr) + index))?;
        Ok(NewEvent { timestamp: SystemTime::now().into(), payload, metadata: Default::default() })
    };
    let events = (0..u64::from(count)).map(event).collect::<Result<Vec<_>>>()?;
    let (expected, first_event_nr) = (SequenceNr::new(expected.into()), *next_nr);
    *next_nr += u64::from(count);
    Ok(EntityAppend { entity, partition, owned_as: None, expected, first_event_nr, events })
}

async fn write(
    stores: &Stores,
    incarnation: Incarnation,
    appends: Vec<EntityAppend>,
) -> Result<()> {
    let batch = AppendBatch { lane: Lane::new(0), incarnation, appends };
    let outcomes = stores.events.append(&batch).await?;
    let appended = outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended { .. }));
    ensure!(appended, "a journal that no one else writes has a conflict");
    Ok(())
}
