//! Raw multi-row inserts through sqlx, of the same rows into the same tables, as many in a transaction as the engine's
//! transactions have in the same round. Keys and numbers are known beforehand: nothing is looked up, nothing checked.

use crate::{
    bench::Bench,
    case::Case,
    cpu,
    drive::{Window, two_workers},
    event_rows::{self, Content, EventRow},
    measurement::Measurement,
    medium::Medium,
    name::Name,
};
use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Rows of one statement; two texts, the second for the rest of a batch.
const ROWS_MAX: usize = 250;

/// Inserts for so many entities, in batches as large as the engine's with so many callers.
pub(crate) fn case(callers: u32, entities: u32, held: bool) -> Case {
    Case::new(name(callers, entities, held), move |bench, round| {
        let subject = Name::persisting(Medium::Sqlite, callers, entities, held);
        let batch = round.batch_of(&subject).unwrap_or(callers.min(1_000) as usize);
        let runtime = two_workers()?;
        runtime.block_on(async {
            let directory = file(bench, entities, held).await?;
            let inserts = SqlInserts::open(directory, entities, batch).await?;
            // on a worker, as the engine is
            tokio::spawn(inserts.run(bench.window)).await?
        })
    })
}

pub(crate) fn name(callers: u32, entities: u32, held: bool) -> Name {
    Name::of("raw inserts").on(Medium::Sqlite).callers(callers).entities(entities).held(held)
}

async fn file(bench: &Bench, entities: u32, held: bool) -> Result<TempDir> {
    if held {
        bench.prefilled.file().await
    } else {
        event_rows::file(&bench.site.directory, entities).await
    }
}

struct SqlInserts {
    directory: TempDir,
    connection: SqliteConnection,
    content: Content,
    /// The last number of each entity.
    numbers: Vec<i64>,
    last: i64,
    batch: usize,
    texts: [String; 2],
    choices: fastrand::Rng,
}

impl SqlInserts {
    async fn open(directory: TempDir, entities: u32, batch: usize) -> Result<Self> {
        let options = event_rows::options(directory.path());
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let last = sqlx::query_scalar("SELECT max(place) FROM events");
        let last = last.fetch_one(&mut connection).await?;
        let texts = [event_rows::insert(ROWS_MAX), event_rows::insert((batch % ROWS_MAX).max(1))];
        let (content, numbers) = (Content::new()?, vec![1; entities as usize]);
        let choices = fastrand::Rng::with_seed(7);
        Ok(Self { directory, connection, content, numbers, last, batch, texts, choices })
    }

    async fn run(mut self, window: Window) -> Result<Measurement> {
        self.insert_for(window.warm_up).await?;
        let (started, cpu) = (Instant::now(), cpu::spent());
        let rows = self.insert_for(window.measured).await?;
        let (took, cpu) = (started.elapsed(), cpu::since(cpu));
        self.connection.close().await?;
        self.directory.close()?;
        let batch = Some(self.batch as f64);
        Ok(Measurement { batch, ..Measurement::rate(rows as f64, took, cpu) })
    }

    async fn insert_for(&mut self, time: Duration) -> Result<usize> {
        let (started, mut rows) = (Instant::now(), 0);
        while started.elapsed() < time {
            let batch: Vec<EventRow> = (0..self.batch).map(|_| self.choose()).collect();
            self.insert(&batch).await?;
            rows += batch.len();
        }
        Ok(rows)
    }

    fn choose(&mut self) -> EventRow {
        let nr = self.choices.usize(..self.numbers.len());
        self.numbers[nr] += 1;
        self.last += 1;
        EventRow { place: Some(self.last), entity: nr as i64 + 1, sequence_nr: self.numbers[nr] }
    }

    async fn insert(&mut self, batch: &[EventRow]) -> Result<()> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        for rows in batch.chunks(ROWS_MAX) {
            let text = &self.texts[usize::from(rows.len() < ROWS_MAX)];
            let query = sqlx::query(AssertSqlSafe(text.as_str()));
            let query = rows.iter().fold(query, |query, row| self.content.bind(query, row));
            query.execute(&mut self.connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(())
    }
}
