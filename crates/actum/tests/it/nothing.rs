use crate::counter::Counter;
use actum::{AtLeastOnce, HandlerError, Project, ProjectCtx, Projector, Recorded};

/// A projection that does nothing with its events.
#[derive(Clone)]
pub(crate) struct Nothing;

impl Projector for Nothing {
    type Target = AtLeastOnce;
}

impl Project<Counter> for Nothing {
    async fn project(
        &mut self,
        _: &Recorded<u64>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}
