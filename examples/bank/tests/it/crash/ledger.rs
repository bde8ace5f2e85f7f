use super::journal::{Journal, balance};
use bank::{
    client::{Action, Order},
    domain::{AccountEvent, Applied, Money},
};
use std::{
    collections::HashSet,
    fmt::Write,
    mem,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::watch;

/// How many accounts there are: few, so that an account has many orders at the same time.
const ACCOUNTS: usize = 6;
/// How many of the last answers about an account are asked for again after each kill. With all orders that can be
/// under way, this is well within the keys that an account remembers.
const REPEATED: usize = 10;

/// The number of an order in the ledger, from 1. It is also its amount, or in the name of its owner, so that what an
/// order did is known by its event alone.
pub(super) type OrderNr = u64;

/// What is known of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// No one knows whether it was done.
    Unknown,
    /// It was acknowledged, with this answer.
    Done(Applied),
    /// It was refused for want of money.
    Refused,
}

/// All orders that were ever sent, and what was answered.
pub(crate) struct Ledger {
    entries: Mutex<Vec<(Order, Fate)>>,
    answers: watch::Sender<usize>,
    /// Whether no new orders are begun.
    closed: AtomicBool,
    finds: Mutex<Finds>,
}

/// What happened on the way: a run that never met a hard case proves little.
#[derive(Default)]
struct Finds {
    /// Orders without an answer that the journal had.
    unanswered_done: HashSet<OrderNr>,
    /// Orders without an answer that the journal did not have.
    unanswered_lost: HashSet<OrderNr>,
    /// Answers to orders that had been acknowledged before.
    repeated: usize,
}

impl Ledger {
    /// A ledger with the orders to open all accounts.
    pub(crate) fn new() -> Self {
        let opening = |nr: OrderNr| {
            let action = Action::Open(format!("owner {nr}"));
            (
                Order { account: format!("account-{nr}"), action, key: format!("key-{nr}") },
                Fate::Unknown,
            )
        };
        let entries = (1..=ACCOUNTS as OrderNr).map(opening).collect();
        Self {
            entries: Mutex::new(entries),
            answers: watch::Sender::new(0),
            closed: AtomicBool::new(false),
            finds: Mutex::default(),
        }
    }

    pub(crate) fn accounts(&self) -> Vec<String> {
        let entries = self.entries.lock().unwrap();
        entries[..ACCOUNTS].iter().map(|(order, _)| order.account.clone()).collect()
    }

    /// Counts the answers.
    pub(crate) fn answers(&self) -> watch::Receiver<usize> {
        self.answers.subscribe()
    }

    /// Lets everybody come to an end who sends new orders.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn reopen(&self) {
        self.closed.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Makes up a new order; none once the ledger is closed.
    pub(super) fn begin(&self, random: &mut fastrand::Rng) -> Option<OrderNr> {
        if self.is_closed() {
            return None;
        }
        let mut entries = self.entries.lock().unwrap();
        let nr = entries.len() as OrderNr + 1;
        let account = entries[random.usize(..ACCOUNTS)].0.account.clone();
        let amount = Money::new(nr).unwrap();
        let action = if random.bool() { Action::Deposit(amount) } else { Action::Withdraw(amount) };
        entries.push((Order { account, action, key: format!("key-{nr}") }, Fate::Unknown));
        Some(nr)
    }

    pub(super) fn order(&self, nr: OrderNr) -> Order {
        self.entries.lock().unwrap()[index(nr)].0.clone()
    }

    /// Enters an answer, which must be the one there was before, if there was one.
    pub(super) fn enter(&self, nr: OrderNr, fate: &Fate) {
        let before = {
            let mut entries = self.entries.lock().unwrap();
            mem::replace(&mut entries[index(nr)].1, fate.clone())
        };
        if before != Fate::Unknown {
            assert_eq!(&before, fate, "order {nr} was answered, and sent again answered otherwise");
            self.finds.lock().unwrap().repeated += 1;
        }
        self.answers.send_modify(|answers| *answers += 1);
    }

    /// All orders of unknown fate, and the last ones that were acknowledged.
    pub(super) fn to_settle(&self) -> Vec<OrderNr> {
        let entries = self.entries.lock().unwrap();
        let numbered = || (1..).zip(entries.iter());
        let unknown = numbered().filter(|(_, (_, fate))| *fate == Fate::Unknown);
        let mut orders: Vec<OrderNr> = unknown.map(|(nr, _)| nr).collect();
        for (opening, _) in &entries[..ACCOUNTS] {
            let mut done: Vec<(u64, OrderNr)> = numbered()
                .filter(|(_, (order, _))| order.account == opening.account)
                .filter_map(|(nr, (_, fate))| match fate {
                    Fate::Done(applied) => Some((applied.revision, nr)),
                    Fate::Unknown | Fate::Refused => None,
                })
                .collect();
            done.sort_unstable();
            orders.extend(done.iter().rev().take(REPEATED).map(|(_, nr)| nr));
        }
        orders
    }

    /// Compares everything that was answered with a journal.
    pub(crate) fn audit(&self, journal: &Journal) {
        let entries = self.entries.lock().unwrap();
        let mut done = HashSet::new();
        for (account, events) in &journal.accounts {
            for (at, event) in events.iter().enumerate() {
                let nr = order_of(event);
                assert!(done.insert(nr), "{account}: order {nr} was done twice");
                let (order, fate) = &entries[index(nr)];
                assert_eq!((&order.account, &event_of(&order.action)), (account, event));
                let balance = u64::try_from(balance(&events[..=at])).expect("no debts");
                let balance = Money::new(balance).unwrap();
                let applied = Applied { event: event.clone(), balance, revision: at as u64 + 1 };
                assert!(
                    *fate == Fate::Unknown || *fate == Fate::Done(applied),
                    "{account}: order {nr} was answered {fate:?}, the journal has {event:?} as event {}",
                    at + 1
                );
            }
        }
        let mut finds = self.finds.lock().unwrap();
        for (nr, (order, fate)) in (1..).zip(entries.iter()) {
            match (fate, done.contains(&nr)) {
                (Fate::Done(_), false) => {
                    panic!("{order:?} was acknowledged, and is lost: {fate:?}")
                }
                (Fate::Unknown, true) => _ = finds.unanswered_done.insert(nr),
                (Fate::Unknown, false) => _ = finds.unanswered_lost.insert(nr),
                (Fate::Done(_), true) | (Fate::Refused, _) => {}
            }
        }
    }

    /// Reports the outcome of it all.
    pub(crate) fn summary(&self) -> String {
        let (entries, finds) = (self.entries.lock().unwrap(), self.finds.lock().unwrap());
        let count = |is: fn(&Fate) -> bool| entries.iter().filter(|(_, fate)| is(fate)).count();
        let mut text = format!("{} orders", entries.len());
        let counts = [
            ("acknowledged", count(|fate| matches!(fate, Fate::Done(_)))),
            ("refused", count(|fate| *fate == Fate::Refused)),
            ("found done after a kill without an answer", finds.unanswered_done.len()),
            ("found lost after a kill without an answer", finds.unanswered_lost.len()),
            ("answers repeated", finds.repeated),
        ];
        for (what, count) in counts {
            let _ = write!(text, ", {count} {what}");
        }
        text
    }

    /// Fails when a client still does not know the outcome of an order.
    pub(crate) fn assert_settled(&self) {
        let entries = self.entries.lock().unwrap();
        assert!(
            entries.iter().all(|(_, fate)| *fate != Fate::Unknown),
            "not everything is settled"
        );
    }

    /// Fails when no kill ever hit the hard case: a change that was stored and not yet acknowledged.
    pub(crate) fn assert_worth_it(&self) {
        self.assert_settled();
        let finds = self.finds.lock().unwrap();
        assert!(finds.repeated > 0 && !finds.unanswered_done.is_empty(), "this proves too little");
    }
}

fn index(nr: OrderNr) -> usize {
    usize::try_from(nr).unwrap() - 1
}

fn order_of(event: &AccountEvent) -> OrderNr {
    match event {
        AccountEvent::Opened { owner } => owner.strip_prefix("owner ").unwrap().parse().unwrap(),
        AccountEvent::Deposited { amount } | AccountEvent::Withdrawn { amount } => {
            amount.minor_units()
        }
        AccountEvent::Closed => panic!("no one closes an account"),
    }
}

fn event_of(action: &Action) -> AccountEvent {
    match action.clone() {
        Action::Open(owner) => AccountEvent::Opened { owner },
        Action::Deposit(amount) => AccountEvent::Deposited { amount },
        Action::Withdraw(amount) => AccountEvent::Withdrawn { amount },
    }
}
