use super::runner_rig::{Bad, Trouble, run};
use crate::{
    account::{Account, Deposited},
    rig::{Rig, account},
};
use actum_projection::{
    AtLeastOnce, HandlerError, OnFailure, Project, ProjectCtx, Projection, Projector, Recorded,
};
use parking_lot::Mutex;
use std::sync::Arc;

/// Gathers events, and writes them where they are kept when it is to finish.
#[derive(Clone, Default)]
struct Gathering {
    trouble: Trouble,
    gathered: Vec<u64>,
    written: Arc<Mutex<Vec<u64>>>,
}

impl Projector for Gathering {
    type Target = AtLeastOnce;

    async fn flush(&mut self, _: &mut ProjectCtx<'_, AtLeastOnce>) -> Result<(), HandlerError> {
        self.written.lock().append(&mut self.gathered);
        Ok(())
    }
}

impl Project<Account> for Gathering {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        self.trouble.meet(event).await?;
        self.gathered.push(event.sequence_nr.get());
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_gathered_when_a_handler_was_cut_off_is_not_lost() {
    for bad in [Bad::Panics, Bad::Hangs, Bad::Fails] {
        let (rig, gathering) = (Rig::new(1).await, Gathering::default());
        rig.deposit(&account("a"), 6).await;
        gathering.trouble.set("a", 4, bad);
        let projection =
            Projection::at_least_once("gathering", gathering.clone()).from::<Account>();
        let running = run(&rig, "a@1", projection.on_failure(OnFailure::SkipToDeadLetters)).await;
        running.caught_up().await;
        assert_eq!(*gathering.written.lock(), [1, 2, 3, 5, 6], "{bad:?}");
        running.end().await;
    }
}
