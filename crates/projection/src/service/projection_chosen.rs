use super::{ProjectionError, ProjectionRef};
use actum_persistence::progress::{DeadLetter, ParkedEntity};

const PAGE: u32 = 1_000;

/// Parked entities and dead letters that are chosen by what they are.
impl ProjectionRef {
    /// As [`replay_parked`](Self::replay_parked), of those that `is_chosen` says, for example by their error. It goes through all
    /// of them in pages, and asks for one after the other: what is parked meanwhile may be among them.
    ///
    /// # Errors
    /// [`ProjectionError`] when it is unknown, or the store fails: then some of them may have been asked for.
    ///
    /// # Cancel safety
    /// Dropping the future leaves those asked for that were by then.
    pub async fn replay_parked_where(
        &self,
        is_chosen: impl Fn(&ParkedEntity) -> bool,
    ) -> Result<u64, ProjectionError> {
        self.of_parked(is_chosen, async |one| self.replay_parked(Some(&one.entity)).await).await
    }

    /// As [`discard_parked`](Self::discard_parked), of those that `is_chosen` says; see
    /// [`replay_parked_where`](Self::replay_parked_where).
    ///
    /// # Errors
    /// As [`replay_parked_where`](Self::replay_parked_where).
    ///
    /// # Cancel safety
    /// As [`replay_parked_where`](Self::replay_parked_where).
    pub async fn discard_parked_where(
        &self,
        is_chosen: impl Fn(&ParkedEntity) -> bool,
    ) -> Result<u64, ProjectionError> {
        self.of_parked(is_chosen, async |one| self.discard_parked(Some(&one.entity)).await).await
    }

    /// As [`replay_dead_letters`](Self::replay_dead_letters), of those that `is_chosen` says, for example by their manifest; see
    /// [`replay_parked_where`](Self::replay_parked_where).
    ///
    /// # Errors
    /// As [`replay_parked_where`](Self::replay_parked_where).
    ///
    /// # Cancel safety
    /// As [`replay_parked_where`](Self::replay_parked_where).
    pub async fn replay_dead_letters_where(
        &self,
        is_chosen: impl Fn(&DeadLetter) -> bool,
    ) -> Result<u64, ProjectionError> {
        self.of_letters(is_chosen, async |one| self.replay_dead_letters(Some(one.place)).await)
            .await
    }

    /// As [`discard_dead_letters`](Self::discard_dead_letters), of those that `is_chosen` says; see
    /// [`replay_parked_where`](Self::replay_parked_where).
    ///
    /// # Errors
    /// As [`replay_parked_where`](Self::replay_parked_where).
    ///
    /// # Cancel safety
    /// As [`replay_parked_where`](Self::replay_parked_where).
    pub async fn discard_dead_letters_where(
        &self,
        is_chosen: impl Fn(&DeadLetter) -> bool,
    ) -> Result<u64, ProjectionError> {
        self.of_letters(is_chosen, async |one| self.discard_dead_letters(Some(one.place)).await)
            .await
    }

    async fn of_parked(
        &self,
        is_chosen: impl Fn(&ParkedEntity) -> bool,
        ask: impl AsyncFn(&ParkedEntity) -> Result<u64, ProjectionError>,
    ) -> Result<u64, ProjectionError> {
        let (mut asked, mut after) = (0, None);
        loop {
            let page = self.parked(after.as_ref(), PAGE).await?;
            for one in page.iter().filter(|one| is_chosen(one)) {
                asked += ask(one).await?;
            }
            match page.last().filter(|_| page.len() == PAGE as usize) {
                Some(last) => after = Some(last.entity.clone()),
                None => return Ok(asked),
            }
        }
    }

    async fn of_letters(
        &self,
        is_chosen: impl Fn(&DeadLetter) -> bool,
        ask: impl AsyncFn(&DeadLetter) -> Result<u64, ProjectionError>,
    ) -> Result<u64, ProjectionError> {
        let (mut asked, mut after) = (0, None);
        loop {
            let page = self.dead_letters(after, PAGE).await?;
            for one in page.iter().filter(|one| is_chosen(one)) {
                asked += ask(one).await?;
            }
            match page.last().filter(|_| page.len() == PAGE as usize) {
                Some(last) => after = Some(last.place),
                None => return Ok(asked),
            }
        }
    }
}
