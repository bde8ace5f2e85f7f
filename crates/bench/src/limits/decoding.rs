//! Decoding the same events and applying them, in a loop on one thread: replay without a journal.

use crate::{
    account::{Account, deposited},
    case::Case,
    cpu,
    measurement::Measurement,
    name::Name,
};
use actum::{EventSourced, StoredPayload};
use std::{hint::black_box, time::Instant};

const EVENTS: u32 = 1_000_000;

pub(crate) fn case() -> Case {
    Case::new(name(), |_, _| {
        let stored = StoredPayload::encode(&deposited(42, 1 << 40))?;
        let mut account = Account::default();
        let (started, cpu) = (Instant::now(), cpu::spent());
        for _ in 0..EVENTS {
            account.apply(&black_box(&stored).decode()?);
        }
        black_box(account);
        Ok(Measurement::rate(EVENTS.into(), started.elapsed(), cpu::since(cpu)))
    })
}

pub(crate) fn name() -> Name {
    Name::of("decode and apply, events")
}
