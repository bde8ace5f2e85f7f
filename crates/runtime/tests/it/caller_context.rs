//! What the caller's context adds to commands lies in their events.

use crate::{
    account::{Balance, Deposit},
    rig::{Rig, account},
};
use actum_model::{Metadata, TraceContext};
use actum_runtime::settings::RuntimeSettings;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test(start_paused = true)]
async fn it_is_added_once_a_command_and_takes_no_place_of_what_was_given_one_by_one() {
    let rig = Rig::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let settings = RuntimeSettings::default().with_caller_context(move |metadata| {
        counted.fetch_add(1, Ordering::Relaxed);
        let trace = TraceContext::new(TRACE).unwrap();
        metadata.with_trace(trace).with_causation_id("the context")
    });
    let engine = rig.start_set(settings).await;
    let a = account(&engine, "a");
    let given = Metadata::new().with_header("by", "Ada");
    a.ask(Deposit(1)).metadata(given.clone()).caused_by("mine").await.unwrap();
    a.tell(Deposit(1)).unwrap();
    assert_eq!(a.ask(Balance).await.unwrap(), 2);
    drop(a.ask(Deposit(1))); // never sent
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let stored = rig.stored("account", "a").await;
    let metadata: Vec<_> = stored.iter().map(|event| event.decode_metadata().unwrap()).collect();
    let with = |metadata: Metadata, cause: &str| {
        metadata.with_trace(TraceContext::new(TRACE).unwrap()).with_causation_id(cause)
    };
    assert_eq!(metadata, [with(given, "mine"), with(Metadata::new(), "the context")]);
}
