use super::{
    ProjectionError, ProjectionRef,
    standing::active_version,
    switching::{SwitchEnd, Switching},
};
use actum_persistence::progress::{ProjectionId, StoredProjection};
use std::num::NonZeroU32;

/// Versions of a projection.
impl ProjectionRef {
    /// The same projection in this version, whichever is active.
    #[must_use]
    pub fn version(&self, version: NonZeroU32) -> Self {
        Self { version: Some(version), ..self.clone() }
    }

    /// The version that is active: the one whose rows are to be read. It asks the database.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, no version of it is active, or the store fails.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn active_version(&self) -> Result<NonZeroU32, ProjectionError> {
        let shared = self.shared().await.ok_or_else(|| self.unknown())?;
        let active = active_version(&*shared.progress, &self.name).await?;
        let active = active.ok_or_else(|| self.not_started())?;
        Ok(active.id.version())
    }

    /// Makes a version the active one that this engine runs, if it has come as far as the one that is: a new one that
    /// [waits for this](crate::Switch::WhenAsked), or a former one again. The other one follows it then.
    ///
    /// # Errors
    /// [`ProjectionError::NotCaughtUp`] when it has not come as far as the active version;
    /// [`ProjectionError::Changing`] when it has not reached within three seconds what that had saved last, or others were
    /// in the way: ask again; otherwise when the engine does not run it, or the store fails.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether it becomes active; the active one may rest for a lease.
    pub async fn activate(&self, version: NonZeroU32) -> Result<(), ProjectionError> {
        let shared = self.versions.iter().find(|shared| shared.id.version() == version);
        let shared = shared.ok_or_else(|| self.unknown())?;
        let name = self.name.to_string();
        match Switching::new(shared, &self.me).run().await? {
            SwitchEnd::Active => Ok(()),
            SwitchEnd::Behind => Err(ProjectionError::NotCaughtUp { name, version }),
            SwitchEnd::TooSlow => Err(ProjectionError::Changing { name }),
            SwitchEnd::Gone => Err(self.not_started()),
        }
    }

    /// Deletes what is kept of a version that is not active, and, if this engine runs it, what it has written, by
    /// [`Projector::clear`](crate::Projector::clear). Programs that still run it say that it has failed; one that starts
    /// with it alone does not begin it again while a newer one is active.
    ///
    /// # Errors
    /// [`ProjectionError::IsActive`] when it is the active version; otherwise when it is unknown, its handler fails, or the
    /// store does. It is paused then, and can be dropped again.
    pub async fn drop_version(&self, version: NonZeroU32) -> Result<(), ProjectionError> {
        let own = self.versions.iter().find(|shared| shared.id.version() == version);
        let shared = own.or(self.versions.first()).ok_or_else(|| self.unknown())?;
        let (progress, name) = (&shared.progress, self.name.to_string());
        let invalid = |error| ProjectionError::Invalid { what: format!("{error}") };
        let id = ProjectionId::new(&name, version).map_err(invalid)?;
        let may = |stored: &StoredProjection| match stored.is_active {
            true => Err(ProjectionError::IsActive { name: name.clone(), version }),
            false => Ok(()),
        };
        let Some(stored) = progress.load(&id).await? else { return Ok(()) };
        may(&stored)?;
        progress.set_paused(&id, true).await?; // no one runs it again meanwhile
        if own.is_some_and(|own| own.registration.work.has_rows()) {
            self.version(version).clear(may).await?;
        }
        progress.delete(&id).await?;
        shared.poke.notify_one();
        Ok(())
    }

    fn not_started(&self) -> ProjectionError {
        ProjectionError::NotStarted { name: self.name.to_string(), why: None }
    }
}
