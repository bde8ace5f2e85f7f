//! How fast an exact projection writes a row for each event, from a journal that is there to a database of its own.

use crate::{
    account::{Account, Deposited},
    balances::{CREATE, Rows},
    bank::Bank,
    case::Case,
    cpu,
    drive::two_workers,
    journal::Journal,
    limits::rows_by_hand,
    measurement::Measurement,
    medium::Medium,
    name::Name,
    postgres::Database,
    workload::{EVENTS_A_BATCH, EVENTS_PROJECTED},
};
use actum::{
    HandlerError, PostgresTarget, Project, ProjectCtx, Projection, Projector, Recorded,
    SqliteTarget, progress::ExactTarget, settings::ProjectionSettings,
};
use anyhow::{Result, bail, ensure};
use std::{
    marker::PhantomData,
    time::{Duration, Instant},
};

const NAME: &str = "balances";
const WITHIN: Duration = Duration::from_secs(600);

/// The balances of all accounts, in one of the databases.
struct BalanceRows<T>(PhantomData<fn() -> T>);

impl<T> Clone for BalanceRows<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T: ExactTarget<Connection: Rows>> Projector for BalanceRows<T> {
    type Target = T;

    async fn set_up(&mut self, ctx: &mut ProjectCtx<'_, T>) -> Result<(), HandlerError> {
        Ok(ctx.tx().run(CREATE).await?)
    }
}

impl<T: ExactTarget<Connection: Rows>> Project<Account> for BalanceRows<T> {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        ctx: &mut ProjectCtx<'_, T>,
    ) -> Result<(), HandlerError> {
        Ok(ctx.tx().deposit(event.entity.id(), event.event.amount).await?)
    }
}

/// The events belong to so many entities.
pub(crate) fn case(medium: Medium, entities: u32) -> Case {
    let name = Name::of("exact rows, events").on(medium).entities(entities);
    Case::new(name, move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let each = EVENTS_PROJECTED / entities;
            let journal = Journal::filled(medium, &bench.site, entities, each).await?;
            match medium {
                Medium::Memory => bail!("there is no SQL in memory"),
                Medium::Sqlite => {
                    let directory = tempfile::tempdir_in(&bench.site.directory)?;
                    let target = SqliteTarget::open(directory.path().join("rows.db")).await?;
                    measure(journal, target).await
                }
                Medium::Postgres { .. } => {
                    let database = Database::create(bench.site.postgres()?).await?;
                    let target = PostgresTarget::connect(&database.url())?;
                    let measured = measure(journal, target).await;
                    database.delete().await?;
                    measured
                }
            }
        })
    })
    .beside(rows_by_hand::name(medium, entities), Some(0.6))
}

async fn measure<T: ExactTarget<Connection: Rows>>(
    journal: Journal,
    target: T,
) -> Result<Measurement> {
    let projection = Projection::exact(NAME, target, BalanceRows(PhantomData)).from::<Account>();
    // what it does by itself; by hand it is done in the same batches
    ensure!(ProjectionSettings::default().batch_events == EVENTS_A_BATCH as usize, "other batches");
    let (started, cpu) = (Instant::now(), cpu::spent());
    let bank = Bank::open_with(journal, |engine| engine.projection(projection)).await?;
    bank.engine.projection(NAME).caught_up(WITHIN).await?;
    let (took, cpu) = (started.elapsed(), cpu::since(cpu));
    bank.close().await?;
    Ok(Measurement::rate(EVENTS_PROJECTED.into(), took, cpu))
}
