use super::{ProjectionError, projection_ref::ProjectionRef, run_switch::RunStage};

impl ProjectionRef {
    /// Stops it in this process, and returns when it runs nothing of it any more: segments end behind the event that is being handled
    /// and are given back, so that other processes take them over at once; what does not end within the
    /// [`shutdown_timeout`](crate::ProjectionSettings::shutdown_timeout) is undone, or comes again. It stays so until it is
    /// [started](Self::start), or this process ends: unlike [`pause`](Self::pause), it is not kept and holds for this process alone.
    ///
    /// Retention keeps what it has not read, also while another process runs it. What is asked of it goes to those that run it; a read model
    /// that is [waited for](Self::caught_up_with) is waited for as long as another process runs it. One that is stopped already,
    /// or has ended with its engine, stays so. Of several versions the one is stopped that is meant; the others go on. A
    /// [division](Self::divide) that was asked for in this process handles what it needs to by itself until it notices.
    ///
    /// # Errors
    /// [`ProjectionError::Unknown`].
    ///
    /// # Cancel safety
    /// It stops also when the future is dropped that was polled once. Of calls of this and of [`start`](Self::start) at the same time
    /// the last one counts, and the others return.
    pub async fn stop(&self) -> Result<(), ProjectionError> {
        let shared = self.shared().await.ok_or_else(|| self.unknown())?;
        shared.switch.turn(false).await;
        Ok(())
    }

    /// Has this process run it that was [stopped](Self::stop) here, or has failed: it prepares what it writes to, and takes its share
    /// of the segments. One that runs goes on.
    ///
    /// # Errors
    /// [`ProjectionError`]: it is unknown, or the engine was shut down.
    ///
    /// # Cancel safety
    /// As [`stop`](Self::stop).
    pub async fn start(&self) -> Result<(), ProjectionError> {
        let shared = self.shared().await.ok_or_else(|| self.unknown())?;
        match shared.switch.turn(true).await {
            RunStage::On | RunStage::Off => Ok(()),
            RunStage::Ended => Err(ProjectionError::Ended { name: self.name.to_string() }),
        }
    }
}
