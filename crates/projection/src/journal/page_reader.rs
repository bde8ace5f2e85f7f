use super::ReadError;
use actum_persistence::store::StoreError;
use std::{future::Future, mem, panic::resume_unwind, vec};
use tokio::{runtime::Handle, task::JoinHandle};

/// What is read page by page.
pub(super) trait Pages: Send + Sized + 'static {
    /// What a page has.
    type Item: Send + 'static;

    /// Reads the next page, which may be empty; none behind the last one. After an error it is asked again.
    fn read(&mut self) -> impl Future<Output = PageRead<Self::Item>> + Send;
}

/// What a page has, none behind the last one; or why it could not be read.
pub(super) type PageRead<T> = Result<Option<Vec<T>>, ReadError>;

/// Hands out what is on pages, one after the other, and reads the next page meanwhile, in a task of its own. So at most
/// two pages are in memory.
pub(super) struct PageReader<P: Pages> {
    state: State<P>,
    has_begun: bool,
    page: vec::IntoIter<P::Item>,
}

enum State<P: Pages> {
    /// Nothing has been read yet, or the last read has failed.
    Idle(P),
    Reading(Task<P>),
    AtEnd,
    /// A read has ended without an answer, and with it what there was to read.
    BrokenOff,
}

/// A read under way; it ends when no one waits for it.
struct Task<P: Pages>(JoinHandle<(P, PageRead<P::Item>)>);

impl<P: Pages> PageReader<P> {
    pub(super) fn new(pages: P) -> Self {
        Self { state: State::Idle(pages), has_begun: false, page: Vec::new().into_iter() }
    }

    /// The pages, as long as no read has begun.
    pub(super) fn unread(&mut self) -> Option<&mut P> {
        match &mut self.state {
            State::Idle(pages) if !self.has_begun => Some(pages),
            _ => None,
        }
    }

    /// The next item. Dropping the future loses none.
    pub(super) async fn next(&mut self) -> Result<Option<P::Item>, ReadError> {
        self.has_begun = true;
        loop {
            if let Some(item) = self.page.next() {
                return Ok(Some(item));
            }
            let task = match &mut self.state {
                State::Reading(task) => task,
                State::AtEnd => return Ok(None),
                State::BrokenOff => return Err(broken_off()),
                idle @ State::Idle(_) => {
                    let runtime = Handle::current(); // in front of taking anything: it may panic
                    if let State::Idle(pages) = mem::replace(idle, State::BrokenOff) {
                        *idle = State::Reading(Task::spawn(&runtime, pages));
                    }
                    continue;
                }
            };
            let (pages, read) = match (&mut task.0).await {
                Ok(read) => read,
                Err(error) => {
                    self.state = State::BrokenOff;
                    match error.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        Err(_) => return Err(broken_off()),
                    }
                }
            };
            match read {
                Ok(Some(page)) => {
                    self.page = page.into_iter();
                    self.state = State::Reading(Task::spawn(&Handle::current(), pages));
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
    fn spawn(runtime: &Handle, mut pages: P) -> Self {
        Self(runtime.spawn(async move {
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

fn broken_off() -> ReadError {
    let what = "a read has ended without an answer, by a panic or the end of its tokio runtime";
    StoreError::unavailable("reading the journal", what).into()
}
