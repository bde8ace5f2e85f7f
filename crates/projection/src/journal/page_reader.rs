use actum_persistence::store::StoreError;
use std::{future::Future, panic::resume_unwind, vec};
use tokio::task::JoinHandle;

/// What is read page by page.
pub(super) trait Pages: Send + Sized + 'static {
    /// What a page has.
    type Item: Send + 'static;

    /// Reads the next page, which may be empty; none behind the last one. After an error it is asked again for the same
    /// page.
    fn read(&mut self) -> impl Future<Output = Result<Option<Vec<Self::Item>>, StoreError>> + Send;
}

/// Hands out what is on pages, one after the other, and reads the next page meanwhile, in a task of its own. So at most
/// two pages are in memory.
pub(super) struct PageReader<P: Pages> {
    state: State<P>,
    page: vec::IntoIter<P::Item>,
}

enum State<P: Pages> {
    /// Nothing has been read yet, or the last read has failed.
    Idle(P),
    Reading(Task<P>),
    AtEnd,
}

type PageRead<P> = (P, Result<Option<Vec<<P as Pages>::Item>>, StoreError>);

/// A read under way; it ends when no one waits for it.
struct Task<P: Pages>(JoinHandle<PageRead<P>>);

impl<P: Pages> PageReader<P> {
    pub(super) fn new(pages: P) -> Self {
        Self { state: State::Idle(pages), page: Vec::new().into_iter() }
    }

    /// The pages, as long as none has been read.
    pub(super) fn unread(&mut self) -> Option<&mut P> {
        match &mut self.state {
            State::Idle(pages) => Some(pages),
            State::Reading(_) | State::AtEnd => None,
        }
    }

    /// The next item. Dropping the future loses none.
    pub(super) async fn next(&mut self) -> Result<Option<P::Item>, StoreError> {
        loop {
            if let Some(item) = self.page.next() {
                return Ok(Some(item));
            }
            let task = match &mut self.state {
                State::Reading(task) => task,
                State::AtEnd => return Ok(None),
                idle @ State::Idle(_) => {
                    if let State::Idle(pages) = std::mem::replace(idle, State::AtEnd) {
                        *idle = State::Reading(Task::spawn(pages));
                    }
                    continue;
                }
            };
            let (pages, read) = match (&mut task.0).await {
                Ok(read) => read,
                Err(error) => {
                    self.state = State::AtEnd;
                    match error.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        Err(_) => return Err(shut_down()),
                    }
                }
            };
            match read {
                Ok(Some(page)) => {
                    self.page = page.into_iter();
                    self.state = State::Reading(Task::spawn(pages));
                }
                Ok(None) => self.state = State::AtEnd,
                Err(error) => {
                    self.state = State::Idle(pages);
                    return Err(error);
                }
            }
        }
    }
}

impl<P: Pages> Task<P> {
    fn spawn(mut pages: P) -> Self {
        Self(tokio::spawn(async move {
            let read = pages.read().await;
            (pages, read)
        }))
    }
}

impl<P: Pages> Drop for Task<P> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn shut_down() -> StoreError {
    StoreError::unavailable("reading the journal", "the tokio runtime is shutting down")
}
