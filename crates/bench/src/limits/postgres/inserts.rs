use super::columns::{Columns, RowKey};
use crate::{drive::Target, postgres::Database};
use anyhow::Result;
use sqlx::{Connection, PgConnection};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};
use tokio::sync::Mutex;

/// Connections that insert batches; who calls takes one that is free.
#[derive(Clone)]
pub(super) struct Inserts(Arc<Mutex<Vec<Connected>>>);

/// How many connections insert what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// One of the statements of [`Columns`].
    pub(super) text: &'static str,
    pub(super) connections: u16,
    /// Whether each has a lane of its own; otherwise all write to the first.
    pub(super) lanes: bool,
    /// They are divided among the connections.
    pub(super) entities: u32,
    /// Rows of a statement.
    pub(super) batch: usize,
}

/// A connection that alone writes to its entities.
struct Connected {
    connection: PgConnection,
    text: &'static str,
    lane: u16,
    /// Its first entity and how far the next is.
    first: i64,
    step: i64,
    /// The last number of each entity.
    numbers: Vec<i64>,
    /// The last position of the lane.
    position: Arc<AtomicI64>,
    columns: Columns,
}

impl Inserts {
    pub(super) async fn open(database: &Database, plan: Plan) -> Result<Self> {
        let mut connected: Vec<Connected> = Vec::new();
        for nr in 0..plan.connections {
            let mut connection = database.connect().await?;
            let lane = if plan.lanes { nr } else { 0 };
            let position = match connected.first() {
                Some(first) if !plan.lanes => Arc::clone(&first.position),
                _ => Arc::new(AtomicI64::new(last_position(&mut connection, lane).await?)),
            };
            connected.push(Connected {
                connection,
                text: plan.text,
                lane,
                first: i64::from(nr) + 1,
                step: plan.connections.into(),
                numbers: vec![1; (plan.entities / u32::from(plan.connections)) as usize],
                position,
                columns: Columns::new(plan.batch)?,
            });
        }
        Ok(Self(Arc::new(Mutex::new(connected))))
    }

    pub(super) async fn close(&self) -> Result<()> {
        let all = std::mem::take(&mut *self.0.lock().await);
        for connected in all {
            connected.connection.close().await?;
        }
        Ok(())
    }
}

async fn last_position(connection: &mut PgConnection, lane: u16) -> Result<i64> {
    let last = "SELECT coalesce(max(position), 0) FROM actum.events WHERE lane = $1";
    let last = sqlx::query_scalar(last).bind(i32::from(lane));
    Ok(last.fetch_one(connection).await?)
}

impl Target for Inserts {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let free = self.0.lock().await.pop();
        let mut connected = free.expect("there are as many connections as callers");
        connected.insert(choices).await.expect("no one else writes to these tables");
        self.0.lock().await.push(connected);
    }
}

impl Connected {
    async fn insert(&mut self, choices: &mut fastrand::Rng) -> Result<(), sqlx::Error> {
        let Self { connection, text, lane, first, step, numbers, position, columns } = self;
        let rows = columns.rows() as i64;
        let positions = position.fetch_add(rows, Relaxed) + 1..;
        columns.fill(positions.map(|position| {
            let nr = choices.usize(..numbers.len());
            numbers[nr] += 1;
            RowKey { position, entity: *first + nr as i64 * *step, sequence_nr: numbers[nr] }
        }));
        let statement = columns.bind(sqlx::query(*text), i32::from(*lane));
        statement.execute(connection).await.map(drop)
    }
}
