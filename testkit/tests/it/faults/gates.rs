use super::journal::{Journal, append};
use actum_testkit::{Fault, Gate, Operation};

#[tokio::test]
async fn a_held_append_does_nothing_until_it_is_let_go() {
    let journal = Journal::new().await;
    let gate = journal.faults.hold_next(Operation::Append, 1);
    let held = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(&journal.batch(vec![append("a", 0, 1, &["one"])])).await }
    });
    gate.held(1).await;
    assert!(journal.texts("a").await.is_empty() && !held.is_finished());
    journal.append(&journal.batch(vec![append("b", 0, 2, &["two"])])).await.unwrap();
    assert!(journal.texts("a").await.is_empty());
    gate.open();
    held.await.unwrap().unwrap();
    assert_eq!(journal.texts("a").await, ["one"]);
    assert_eq!(gate.held_now(), 0);
}

#[tokio::test]
async fn an_answer_that_is_held_comes_after_the_commit() {
    let journal = Journal::new().await;
    let gate = Gate::closed();
    journal.faults.next(Operation::Append, Fault::unknown_committed().held_after(&gate));
    let held = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(&journal.batch(vec![append("a", 0, 1, &["one"])])).await }
    });
    gate.held(1).await;
    assert_eq!(journal.texts("a").await, ["one"]);
    gate.open();
    assert!(held.await.unwrap().unwrap_err().maybe_written());
}

#[tokio::test]
async fn a_gate_holds_as_many_as_come_and_none_once_it_is_open() {
    let gate = Gate::closed();
    let pass = || {
        let gate = gate.clone();
        tokio::spawn(async move { gate.pass().await })
    };
    let held = [pass(), pass(), pass()];
    gate.held(3).await;
    assert_eq!(gate.held_now(), 3);
    gate.open();
    for one in held {
        one.await.unwrap();
    }
    pass().await.unwrap();
    gate.close();
    let again = pass();
    gate.held(1).await;
    again.abort();
    assert!(again.await.unwrap_err().is_cancelled());
    assert_eq!(gate.held_now(), 0, "a call that is gone is not held");
}

#[tokio::test]
async fn an_append_that_is_dropped_at_the_gate_is_never_done() {
    let journal = Journal::new().await;
    let gate = journal.faults.hold_next(Operation::Append, 1);
    let held = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(&journal.batch(vec![append("a", 0, 1, &["one"])])).await }
    });
    gate.held(1).await;
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    gate.open();
    journal.append(&journal.batch(vec![append("b", 0, 2, &["two"])])).await.unwrap();
    assert!(journal.texts("a").await.is_empty());
    assert_eq!(
        journal.faults.counts().appends_at_once_max,
        1,
        "the dropped one is still counted as under way"
    );
}
