use crate::store::StoreError;

/// A batch of which it is unknown whether it is stored.
pub(super) struct Unknown<W> {
    /// What left it open.
    error: StoreError,
    /// How many attempts to find out have begun.
    attempts: u32,
    /// `None` while an attempt is under way.
    writes: Option<Vec<W>>,
    /// What those get who wait behind the batch, since the first attempt has failed.
    refusal: Option<StoreError>,
}

impl<W> Unknown<W> {
    pub(super) fn new(error: StoreError, writes: Vec<W>) -> Self {
        Self { error, attempts: 0, writes: Some(writes), refusal: None }
    }

    pub(super) fn error(&self) -> &StoreError {
        &self.error
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Hands the batch out for the next attempt, which has this number; `None` while one is under way.
    pub(super) fn attempt(&mut self) -> Option<(Vec<W>, u32)> {
        let writes = self.writes.take()?;
        self.attempts += 1;
        Some((writes, self.attempts))
    }

    /// Takes the batch back: an attempt has failed with `error`, and there will be another.
    pub(super) fn failed(&mut self, writes: Vec<W>, error: StoreError) {
        self.writes = Some(writes);
        self.refusal = Some(behind(error));
    }

    /// Why no one waits behind the batch any more; `None` while the first attempt may still succeed.
    pub(super) fn refusal(&self) -> Option<&StoreError> {
        self.refusal.as_ref()
    }

    /// The clean failure of a write that turned out not to be stored, after all.
    pub(super) fn not_written(&self) -> StoreError {
        match self.error.clone() {
            StoreError::OutcomeUnknown { doing, source } => {
                StoreError::Unavailable { doing, source }
            }
            other => other,
        }
    }
}

/// The failure of a write of which no one can find out any more whether it was stored.
pub(super) fn untraceable(first: &StoreError, why: &str) -> StoreError {
    match first {
        StoreError::OutcomeUnknown { doing, source } => {
            StoreError::outcome_unknown(doing.clone(), format!("{source}; then {why}"))
        }
        other => other.clone(),
    }
}

/// The clean failure of a write that was never sent, since the store could not say the outcome of the batch before it.
fn behind(error: StoreError) -> StoreError {
    let doing = "committing behind a batch whose outcome is unknown".to_owned();
    match error {
        StoreError::Unavailable { source, .. } | StoreError::OutcomeUnknown { source, .. } => {
            StoreError::Unavailable { doing, source }
        }
        other => StoreError::unavailable(doing, other),
    }
}
