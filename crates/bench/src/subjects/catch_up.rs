//! How fast a projection whose handler does nothing comes to the head: it reads, decodes and hands over every event, and saves
//! its progress.

use crate::{
    account::{Account, Deposited},
    bank::Bank,
    case::Case,
    cpu,
    drive::two_workers,
    journal::Journal,
    limits::lane_pages,
    measurement::Measurement,
    medium::Medium,
    name::Name,
    workload::EVENTS_REPLAYED,
};
use actum::{AtLeastOnce, HandlerError, Project, ProjectCtx, Projection, Projector, Recorded};
use std::time::{Duration, Instant};

pub(super) const NAME: &str = "nothing";
const WITHIN: Duration = Duration::from_secs(600);

/// Handles events by doing nothing.
#[derive(Clone)]
pub(super) struct Nothing;

impl Projector for Nothing {
    type Target = AtLeastOnce;
}

impl Project<Account> for Nothing {
    async fn project(
        &mut self,
        _: &Recorded<Deposited>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

/// The events belong to so many entities.
pub(crate) fn case(medium: Medium, entities: u32) -> Case {
    let name = Name::of("catch up, events").on(medium).entities(entities);
    Case::new(name, move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let each = EVENTS_REPLAYED / entities;
            let journal = Journal::filled(medium, &bench.site, entities, each).await?;
            let projection = Projection::at_least_once(NAME, Nothing).from::<Account>();
            let (started, cpu) = (Instant::now(), cpu::spent());
            let bank = Bank::open_with(journal, |engine| engine.projection(projection)).await?;
            bank.engine.projection(NAME).caught_up(WITHIN).await?;
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            bank.close().await?;
            Ok(Measurement::rate(EVENTS_REPLAYED.into(), took, cpu))
        })
    })
    .beside(lane_pages::name(medium, entities), Some(0.5))
}
