use super::Job;
use crate::Failure;
use actum_model::Entity;

/// What the caller of a command gets whose code has panicked.
pub(super) fn panicked<E: Entity>(job: &dyn Job<E>, message: String) -> Failure {
    Failure::Panicked { command: job.command(), message }
}
