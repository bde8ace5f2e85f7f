//! An initial state that could be made once and cannot be made again: each caller that waits for it is answered.

use crate::rig::{Rig, all_wait, assert_is, send};
use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{EntitySettings, SnapshotSettings},
};
use actum_testkit::{Damage, Fault, Operation};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, convert::Infallible};

/// Counts its steps. One with the id `n` panics when its initial state is made for the nth time.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Moody(u64);
/// Answered with the steps after it.
#[derive(Serialize, Deserialize)]
struct Step;
#[derive(Serialize, Deserialize)]
struct StepAndLeave;
#[derive(Clone, Serialize, Deserialize)]
struct Stepped;

actum_model::payload! {
    Json: Moody = "moody.state", Step = "step", StepAndLeave = "step-and-leave", Stepped = "stepped"
}

static MADE: Mutex<Option<HashMap<u64, u64>>> = Mutex::new(None);

impl Entity for Moody {
    const KIND: &'static str = "moody";
    type Id = u64;
    type Env = ();
    type Event = Stepped;
    type Commands = (Step, StepAndLeave);

    fn initial(id: &u64) -> Self {
        let mut made = MADE.lock();
        let times = made.get_or_insert_default().entry(*id).or_default();
        *times += 1;
        assert_ne!(times, id, "not in the mood");
        Self::default()
    }
}

impl EventSourced for Moody {
    fn apply(&mut self, _: &Stepped) {
        self.0 += 1;
    }
}

impl Handle<Step> for Moody {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: Step, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::persist(Stepped).reply_with(|moody: &Self| moody.0))
    }
}

impl Handle<StepAndLeave> for Moody {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: StepAndLeave, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::persist(Stepped).reply_with(|moody: &Self| moody.0).passivate())
    }
}

async fn start(rig: &Rig) -> Runtime {
    let snapshots = SnapshotSettings::every(2).with_snapshots_kept(1).with_events_deleted(true);
    let settings = EntitySettings::default().with_snapshots(snapshots);
    let moody = Registration::event_sourced::<Moody>((), settings);
    rig.start_with(vec![moody], Default::default()).await
}

#[tokio::test(start_paused = true)]
async fn commands_that_wait_for_an_entity_to_leave() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let moody = engine.entity::<Moody>(2u64);
    let gate = rig.hold_next(Operation::Append);
    let leaving = send(moody.ask(StepAndLeave));
    gate.held(1).await;
    let waiting = [send(moody.ask(Step)), send(moody.ask(Step))];
    all_wait().await;
    gate.open();
    assert_eq!(leaving.await.unwrap().unwrap(), 1);
    for asking in waiting {
        let answer = asking.await.unwrap();
        assert_is!(
            answer,
            Err(AskError::Panicked { message, .. }) if message.contains("not in the mood")
        );
    }
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    assert_eq!(moody.ask(Step).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn commands_that_wait_for_a_recovery_that_begins_again() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    for steps in 1..=3 {
        assert_eq!(engine.entity::<Moody>(3u64).ask(Step).await.unwrap(), steps);
    }
    all_wait().await;
    assert!(engine.shutdown().await.is_clean());

    // as if the events were deleted between the read of the snapshot and that of the events
    rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Missing));
    let engine = start(&rig).await;
    let moody = engine.entity::<Moody>(3u64);
    let waiting = [send(moody.ask(Step)), send(moody.ask(Step))];
    for asking in waiting {
        let answer = asking.await.unwrap();
        assert_is!(
            answer,
            Err(AskError::Panicked { message, .. }) if message.contains("not in the mood")
        );
    }
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    assert_eq!(moody.ask(Step).await.unwrap(), 4);
}
