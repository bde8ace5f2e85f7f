use super::super::StoreError;
use super::{
    Activation, DeadLetter, DeadLetterPlace, Epoch, NewProjection, ParkedEntity, ParkedRequest,
    ProgressChange, ProgressPlace, ProjectionId, RunnerRenewal, SaveError, Segment, SegmentClaim,
    StoredProjection, StoredSegment, TargetHold,
};
use actum_model::EntityKey;
use async_trait::async_trait;
use std::sync::Arc;

/// Keeps how far projections have come, who runs them, and what they could not handle.
///
/// # Contract
/// * **Atomicity.** Each call is one transaction: all of it is kept, or nothing. After
///   [`StoreError::OutcomeUnknown`] either may be so.
/// * **Epochs.** What is saved under another epoch than the segment has is [`SaveError::Stale`] and changes nothing. The
///   check is in the transaction of the save, and conflicts with a claim, a release, a rewind and an activation: of two
///   that race one sees the other.
///   A segment has no epoch twice, also not when its projection is deleted and entered again: then its epochs go on
///   behind those that were deleted.
/// * **Durability.** As that of the rows beside it: what was saved survives a crash of the process and, as far as the
///   database says so, of the machine.
/// * **No clock.** Who lives is judged by those who watch: a store counts renewals, and reads no clock.
/// * Names and texts are kept as they are. Those who call keep to [`RUNNER_BYTES_MAX`](super::RUNNER_BYTES_MAX) and
///   [`ERROR_BYTES_MAX`](super::ERROR_BYTES_MAX).
/// * What is not there, a projection, segment or entity, changes nothing; it is no error unless said so. A segment that is
///   not there is stale for a caller that names an epoch of it.
///
/// # Cancel safety
/// Dropping the future of a read has no effect; dropping that of a change leaves its outcome unknown.
#[async_trait]
pub trait ProgressStore: Send + Sync + 'static {
    /// Enters a projection if it is not there yet, and returns what is kept of it. It is the active version of its name if
    /// no other version is there.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn enter(&self, new: &NewProjection) -> Result<StoredProjection, StoreError>;

    /// What is kept of a projection; none if it was never entered, or was deleted.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; [`StoreError::Corrupt`] when what is kept cannot be right.
    async fn load(
        &self,
        projection: &ProjectionId,
    ) -> Result<Option<StoredProjection>, StoreError> {
        only(self.load_all(std::slice::from_ref(projection)).await?)
    }

    /// What is kept of some projections, in the order in which they are asked for, and all of it in one moment; of each as
    /// [`load`](Self::load) says. It costs the store as many statements as one.
    ///
    /// What is kept of one and cannot be right is the error of that one.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; [`StoreError::Invalid`] for more than
    /// [`PROJECTIONS_AT_ONCE_MAX`](super::PROJECTIONS_AT_ONCE_MAX).
    async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError>;

    /// All that are kept, in the order of the bytes of their names and of their versions. It makes nothing where nothing is
    /// kept yet: it is asked also where no one wants to keep something.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError>;

    /// Makes a version the active one of its name, in place of the one that was. Both, and that it is the active one, must
    /// be as they were seen; saves do not count, and are what decides where [live
    /// begins](Activation::live_from). All segments of both get the next epoch and no owner.
    ///
    /// # Errors
    /// [`SaveError::Stale`] when something is not as it was seen: another version is active, or this one, one of the two is
    /// not there, or one of their segments is another or in another epoch.
    async fn activate(&self, activation: &Activation) -> Result<(), SaveError>;

    /// Deletes everything that is kept of a projection. Its runners find their segments stale. No other version becomes the
    /// active one by this.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn delete(&self, projection: &ProjectionId) -> Result<(), StoreError>;

    /// Asks for a pause, or ends it. Ending it also lets segments go on that have stopped.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn set_paused(
        &self,
        projection: &ProjectionId,
        is_paused: bool,
    ) -> Result<(), StoreError>;

    /// Counts a renewal of `runner`, which is entered if it is not there, and removes the rows of the runners `dead`, if
    /// they have not renewed since.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    async fn renew(
        &self,
        projection: &ProjectionId,
        runner: &str,
        dead: &[super::RunnerRow],
    ) -> Result<(), StoreError> {
        let renewal =
            RunnerRenewal { dead: dead.to_vec(), ..RunnerRenewal::new(projection.clone(), runner) };
        only(self.renew_and_load(&[renewal]).await?).map(drop)
    }

    /// Counts renewals of runners, and returns what is kept of their projections behind that, in the order in which they
    /// are asked for; of each as [`renew`](Self::renew) and [`load`](Self::load) say. It costs the store as many statements
    /// as one: a process renews all of its projections by it that are kept at one [place](Self::place).
    ///
    /// The renewals are kept together or not at all, but for those of projections that are not there. What is kept of a
    /// projection and cannot be right is the error of that one, and so is it that a projection is just being deleted: no
    /// renewal waits for that.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails: the renewals may be counted all the same, and the rows removed. When
    /// [`RunnerRenewal::check`] refuses them.
    ///
    /// # Cancel safety
    /// As when the store fails.
    async fn renew_and_load(
        &self,
        renewals: &[RunnerRenewal],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError>;

    /// Removes a runner, and releases the segments that it owns: each gets the next epoch.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn leave(&self, projection: &ProjectionId, runner: &str) -> Result<(), StoreError>;

    /// Takes a segment: it gets the next epoch and this owner, if its epoch and its owner are those that were seen, and
    /// the owner, if there is one, has not renewed since. None if that is not so, the segment has stopped, or it is not
    /// there.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn claim(&self, claim: &SegmentClaim) -> Result<Option<StoredSegment>, StoreError>;

    /// Gives a segment back: it gets the next epoch and no owner.
    ///
    /// # Errors
    /// [`SaveError::Stale`] when it has another epoch already.
    async fn release(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
    ) -> Result<(), SaveError>;

    /// As [`release`](Self::release), of a segment that needs a person: no one takes it until its projection is
    /// [resumed](Self::set_paused) or rewound.
    ///
    /// # Errors
    /// [`SaveError::Stale`] when it has another epoch already.
    async fn stop(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        epoch: Epoch,
        why: &str,
    ) -> Result<(), SaveError>;

    /// Keeps a change.
    ///
    /// # Errors
    /// [`SaveError::Stale`] when an epoch is not the one that was said.
    async fn change(&self, change: &ProgressChange) -> Result<(), SaveError>;

    /// Replaces segments by others that have [the same partitions](Segment::have_same_partitions): splits and merges them.
    /// Those that were seen must be in the epoch they were seen in. The new ones have no owner, and all of them the epoch
    /// behind the last of those that were seen, whatever `into` has there: a segment that comes back has no epoch again.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the partitions are not the same; [`SaveError::Stale`] when one of those that were seen
    /// is in another epoch, or not there.
    async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError>;

    /// Parked entities of a range of partitions, in the order of kind and id, the first `limit` behind `after`.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn parked(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        after: Option<&EntityKey>,
        limit: u32,
    ) -> Result<Vec<ParkedEntity>, StoreError>;

    /// Asks the runner of a parked entity, or of all of them, for something, in place of what was asked before. Returns of
    /// how many it was asked.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn request(
        &self,
        projection: &ProjectionId,
        entity: Option<&EntityKey>,
        request: ParkedRequest,
    ) -> Result<u64, StoreError>;

    /// Dead letters of a range of partitions, in the order of their places, the first `limit` behind `after`; those that
    /// are asked to be replayed, if `is_requested`, or all.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn dead_letters(
        &self,
        projection: &ProjectionId,
        segment: Segment,
        is_requested: bool,
        after: Option<DeadLetterPlace>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// Asks for a dead letter, or all of them, to be replayed. Returns of how many it was asked.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn request_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError>;

    /// Discards a dead letter, or all of them. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn discard_letter(
        &self,
        projection: &ProjectionId,
        place: Option<DeadLetterPlace>,
    ) -> Result<u64, StoreError>;

    /// Where it keeps all this, and through what it reaches that; none for one that stands for itself alone, and for its clones
    /// in an [`Arc`].
    ///
    /// Stores that have the same place [renew](Self::renew_and_load) for each other: through any of them all the others find
    /// what was kept, and one that does not answer costs the others a lease at worst. So a name is not enough: stores that
    /// are closed one by one, or wait for other connections, are at different places.
    fn place(&self) -> Option<ProgressPlace> {
        None
    }

    /// When a handler's transaction that was begun through a store of this [place](Self::place) kept everyone else from changes,
    /// and so from claims: the last one that took a tenth of a second or longer, and the one that is open, in this order; none
    /// where transactions are open side by side. Two such transactions are not one behind the other while a renewal waits: it
    /// comes between them.
    ///
    /// A runner whose renewal waits for a handler of its own process does not take itself for replaced meanwhile: how long
    /// that handler may take is a matter of its time-out, and not of the lease.
    fn last_holds(&self) -> Vec<TargetHold> {
        Vec::new()
    }

    /// Finishes what is under way and closes connections that are its own. Later calls get [`StoreError::Unavailable`].
    async fn close(&self) {}
}

/// A product that keeps the progress of projections beside the journal.
pub trait KeepsProgress: Send + Sync + 'static {
    /// Where it keeps it. Nothing is opened or created before the first call of what is returned.
    fn progress(&self) -> Arc<dyn ProgressStore>;
}

/// The answer to a call about one.
fn only<T>(answers: Vec<Result<T, StoreError>>) -> Result<T, StoreError> {
    let none = || Err(StoreError::corrupt("a store gave no answer about a projection"));
    answers.into_iter().next().unwrap_or_else(none)
}
