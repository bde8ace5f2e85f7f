use super::{
    JournalPlace,
    holding_back::hold_back,
    joint_renewals::JointRenewals,
    run_switch::RunStage,
    runner::Runner,
    shared::{ServicePhase, SharedProjection},
};
use actum_model::Offset;
use actum_persistence::panics::log_safely;
use async_trait::async_trait;
use std::{future::ready, sync::Arc};
use tokio::sync::watch;

/// Runs a projection in this process, as runner `me`, until its place is asked to end; not while it is stopped. Its place is held
/// all the time: what it has not read is kept, also while another process runs it.
pub(super) async fn run_here(
    shared: Arc<SharedProjection>,
    me: Arc<str>,
    renewals: JointRenewals,
    place: Arc<dyn JournalPlace>,
) {
    let (whole, of_shared) = (Arc::clone(&place), Arc::clone(&shared));
    let until_off: Arc<dyn JournalPlace> = Arc::new(UntilOff { place: whole, shared: of_shared });
    let ends = Ends(Arc::clone(&shared));
    let mut wanted = shared.switch.wanted();
    loop {
        if *wanted.borrow_and_update() {
            shared.begin();
            shared.switch.set(RunStage::On);
            let runner = Runner::new(Arc::clone(&shared), Arc::clone(&me), renewals.clone());
            runner.run(Arc::clone(&until_off)).await;
        }
        if !goes_on(&shared, &*place, &mut wanted).await {
            break;
        }
    }
    drop(ends);
}

/// Nothing runs here any more when this is dropped: also when the task panics, or its tokio runtime goes.
struct Ends(Arc<SharedProjection>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.set_ended();
        self.0.switch.set(RunStage::Ended);
    }
}

/// Nothing runs here: returns when it is to run again, or something else was asked for; false if its place is asked to end.
async fn goes_on(
    shared: &SharedProjection,
    place: &dyn JournalPlace,
    wanted: &mut watch::Receiver<bool>,
) -> bool {
    // not as seen: what was asked for since it began to run, such as a start while it failed, is still to be done
    if !*wanted.borrow() {
        if shared.phase() != ServicePhase::Stopped {
            log_safely(|| tracing::info!(projection = %shared.id, "projection stopped here"));
        }
        shared.stopped_here();
        shared.switch.set(RunStage::Off);
    } else if !matches!(shared.phase(), ServicePhase::Failed(_)) {
        // stopped and started again, or the end of the engine
        return tokio::select! {
            biased;
            () = place.ending() => false,
            () = ready(()) => true,
        };
    }
    tokio::select! {
        biased;
        () = place.ending() => false,
        _ = wanted.changed() => true,
        never = hold_back(shared, place) => match never {},
    }
}

/// The place of a runner, which ends when its projection is stopped, too.
struct UntilOff {
    place: Arc<dyn JournalPlace>,
    shared: Arc<SharedProjection>,
}

#[async_trait]
impl JournalPlace for UntilOff {
    fn has_read(&self, offset: &Offset) {
        self.place.has_read(offset);
    }

    async fn ending(&self) {
        let mut wanted = self.shared.switch.wanted();
        tokio::select! {
            () = self.place.ending() => {}
            _ = wanted.wait_for(|wanted| !wanted) => {}
        }
    }
}
