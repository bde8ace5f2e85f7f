use super::*;
use crate::{
    EntityRef,
    alarm::Alarm,
    ask::{Entrance, EntranceParts, TellFailures},
    clock::Clock,
    partition::{PartitionHandle, PartitionTable},
    term::Term,
};
use actum_host::partition::Inbox;
use actum_model::{Ctx, Effect, Entity, EntityKey, Handle, Lane, NoEvents, PartitionCount};
use std::{convert::Infallible, future::IntoFuture};
use tokio::time::timeout;

struct Unserved;

impl Entity for Unserved {
    const KIND: &'static str = "unserved";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = ((),);

    fn initial(_: &String) -> Self {
        Self
    }
}

impl Handle<()> for Unserved {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, (): (), _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::none().reply(()))
    }
}

/// A gate before one inbox that no partition empties.
fn gate() -> (Gate, EntityRef<Unserved>, Arc<Load>) {
    let load = Arc::new(Load::new(10, 10, 10));
    let inbox = Arc::new(Inbox::<Unserved>::new(10, Arc::clone(&load)));
    let (clock, alarm) = (Clock::start(), Arc::new(Alarm::new()));
    let count = PartitionCount::new(1).expect("1 is a count");
    let partitions = Arc::new(PartitionTable::new(count, |partition| {
        let (term, alarm) = (Arc::new(Term::new(clock)), Arc::clone(&alarm));
        let inboxes = [Arc::clone(&inbox) as Arc<dyn Refuses>].into();
        Arc::new(PartitionHandle::new(partition, Lane::default(), inboxes, term, alarm))
    }));
    partitions.iter().for_each(|partition| partition.open(partition.term()));
    let parts = EntranceParts {
        load: Arc::clone(&load),
        clock,
        ask_timeout: Duration::from_secs(1),
        tells: Arc::new(TellFailures::new("unserved", clock)),
        caller_context: None,
        observer: None,
        route: None,
    };
    let inboxes = PartitionTable::new(count, |_| Arc::clone(&inbox));
    let entrance = Entrance::new(&inboxes, &partitions, parts);
    let key = EntityKey::new("unserved", "n").expect("a short id");
    let streams = Arc::new(StreamAppends::new(Arc::clone(&load)));
    (Gate::new(partitions, streams, None), EntityRef::new(key, Arc::new(entrance)), load)
}

#[tokio::test(start_paused = true)]
async fn one_that_was_shut_stays_shut_whatever_the_lease_does() {
    let (gate, unserved, _) = gate();
    let (lease, closed) = (Failure::unavailable("lease"), Failure::unavailable("closed"));
    let refused = async || {
        let answer = timeout(Duration::from_secs(1), unserved.ask(()).into_future()).await;
        answer.expect("no one waits for ever").expect_err("it is refused").to_string()
    };
    gate.suspend(&lease);
    assert_eq!(refused().await, "unavailable: lease");
    gate.close(&closed);
    gate.reopen();
    assert_eq!(refused().await, "unavailable: closed");
    gate.suspend(&lease);
    assert_eq!(refused().await, "unavailable: closed");
}

#[tokio::test]
async fn a_caller_who_waits_when_it_is_shut_gets_the_reason() {
    let (gate, unserved, load) = gate();
    gate.suspend(&Failure::unavailable("lease"));
    gate.reopen();
    let waiting = unserved.ask(()).into_future();
    assert_eq!(gate.clear(), 0, "it is open");
    assert_eq!(load.commands(), 1);
    gate.fence(Incarnation::new(1));
    gate.reopen(); // a renewal of the lease had succeeded meanwhile
    let error = waiting.await.expect_err("it is refused");
    assert_eq!(error.to_string(), FENCED.failure(false).to_string());
    assert_eq!(load.commands(), 0);
}
