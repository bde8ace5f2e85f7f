use super::{SubscriptionError, SubscriptionService, SubscriptionStatus};
use crate::{
    definition::StartAt,
    service::{ProjectionError, ProjectionRef},
};
use actum_persistence::progress::{DeadLetter, DeadLetterPlace};
use std::{fmt, sync::Arc};

/// A durable subscription by its name, whether anyone has subscribed or not. Cheap to clone.
///
/// What is asked of it is kept in the database of the journal, so it holds for all processes, and outlives them.
#[derive(Clone)]
pub struct SubscriptionRef {
    name: Arc<str>,
    service: SubscriptionService,
}

impl SubscriptionRef {
    /// The subscription `name` of an engine.
    #[must_use]
    pub fn new(name: &str, service: &SubscriptionService) -> Self {
        Self { name: name.into(), service: service.clone() }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The projection that it is kept as.
    async fn kept(&self) -> Result<ProjectionRef, SubscriptionError> {
        Ok(self.service.kept(&self.name).await?)
    }

    fn error(&self, error: ProjectionError) -> SubscriptionError {
        SubscriptionError::of_kept(error, &self.name)
    }

    /// How it is: what is kept of it, and what this process knows.
    ///
    /// # Errors
    /// [`SubscriptionError`] when nothing is kept of it, or that or the heads of the journal cannot be read.
    pub async fn status(&self) -> Result<SubscriptionStatus, SubscriptionError> {
        let status = self.kept().await?.status().await.map_err(|error| self.error(error))?;
        Ok(SubscriptionStatus::new(&self.name, status, self.service.here(&self.name)))
    }

    /// Lets it go on after it has stopped.
    ///
    /// # Errors
    /// [`SubscriptionError`] when nothing is kept of it, or the store fails.
    pub async fn resume(&self) -> Result<(), SubscriptionError> {
        self.kept().await?.resume().await.map_err(|error| self.error(error))
    }

    /// Lets it begin somewhere else. What is in flight comes again, if it lies behind that; dead letters behind it are forgotten.
    ///
    /// # Errors
    /// [`SubscriptionError`] when nothing is kept of it, the place is not in the journal, or the store fails.
    pub async fn rewind(&self, to: StartAt) -> Result<(), SubscriptionError> {
        self.kept().await?.rewind(to).await.map_err(|error| self.error(error))
    }

    /// Dead letters, in the order of their places: the first `limit` behind `after`, 1,000 at most.
    ///
    /// # Errors
    /// [`SubscriptionError`] when nothing is kept of it, or the store fails.
    pub async fn dead_letters(
        &self,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, SubscriptionError> {
        self.kept().await?.dead_letters(after, limit).await.map_err(|error| self.error(error))
    }

    /// Has one dead letter delivered again, or all of them. Returns how many that is asked for.
    ///
    /// # Errors
    /// [`SubscriptionError`] when nothing is kept of it, or the store fails.
    pub async fn replay_dead_letters(
        &self,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, SubscriptionError> {
        self.kept().await?.replay_dead_letters(place).await.map_err(|error| self.error(error))
    }

    /// Discards one dead letter, or all of them; returns how many there were.
    ///
    /// # Errors
    /// [`SubscriptionError`] when nothing is kept of it, or the store fails.
    pub async fn discard_dead_letters(
        &self,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, SubscriptionError> {
        self.kept().await?.discard_dead_letters(place).await.map_err(|error| self.error(error))
    }
}

impl fmt::Debug for SubscriptionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionRef").field("name", &self.name).finish_non_exhaustive()
    }
}
