use super::{Content, Job, KindContext, guard, panicked::panicked};
use crate::{Failure, failure::full_text};
use actum_model::Entity;

/// What tells a command that carries an id from others.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The hash of its id.
    pub hash: u64,
    /// Its content.
    pub content: Content,
}

impl Identity {
    /// What tells a command that carries an id from others; `None` for one that carries none.
    pub fn of<E: Entity>(job: &dyn Job<E>, kind: &KindContext<E>) -> Result<Option<Self>, Failure> {
        let Some(id) = job.envelope().metadata.command_id() else { return Ok(None) };
        let content = guard(|| job.content()).map_err(|message| panicked(job, message))?.map_err(
            |error| {
                let (command, why) = (job.command(), full_text(&error));
                Failure::invalid(format!(
                    "`{command}` cannot be encoded, which a command with a command id needs: {why}"
                ))
            },
        )?;
        Ok(Some(Self { hash: (kind.hash_id)(id), content }))
    }
}
