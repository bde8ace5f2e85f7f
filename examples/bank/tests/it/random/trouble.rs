use actum::{HandlerError, Recorded};
use bank::domain::AccountEvent;
use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex},
};

/// What goes wrong with events, by account and number, whoever handles them.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<HashMap<(String, u64), Bad>>>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Bad {
    Fails,
    Panics,
    Hangs,
    Unavailable,
}

impl Trouble {
    pub(super) fn set(&self, account: &str, nr: u64, bad: Bad) {
        self.0.lock().unwrap().insert((account.to_owned(), nr), bad);
    }

    pub(super) fn mend(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(super) async fn meet(&self, event: &Recorded<AccountEvent>) -> Result<(), HandlerError> {
        let key = (event.entity.id().to_owned(), event.sequence_nr.get());
        let bad = self.0.lock().unwrap().get(&key).copied();
        match bad {
            None => Ok(()),
            Some(Bad::Fails) => Err(HandlerError::failed("poison")),
            Some(Bad::Panics) => panic!("poison"),
            Some(Bad::Hangs) => pending().await,
            Some(Bad::Unavailable) => Err(HandlerError::unavailable("the broker is away")),
        }
    }
}
