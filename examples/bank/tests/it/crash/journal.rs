use crate::place::Place;
use actum::{
    Lane, Position,
    store::{EventFilter, PageLimit},
};
use bank::{client::Client, domain::AccountEvent};
use std::collections::BTreeMap;

/// What happened to each account, in order.
pub(crate) type Accounts = BTreeMap<String, Vec<AccountEvent>>;

/// What is in the journal of a bank.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) accounts: Accounts,
}

impl Journal {
    /// Reads everything that is stored; a file only while no bank runs.
    pub(crate) async fn read(place: &Place) -> Self {
        let stores = place.stores().await;
        let (mut accounts, mut after) = (Accounts::new(), Position::ZERO);
        loop {
            let (filter, limit) = (EventFilter::default(), PageLimit::default());
            let page =
                stores.events.read_lane(Lane::default(), after, &filter, limit).await.unwrap();
            if page.read_to == after {
                break;
            }
            after = page.read_to;
            for read in page.events {
                let events = accounts.entry(read.entity.id().to_owned()).or_default();
                events.push(read.event.payload.decode().unwrap());
                assert_eq!(read.event.sequence_nr.get(), events.len() as u64, "{}", read.entity);
            }
        }
        stores.close().await;
        Self { accounts }
    }

    /// What a bank shows of these accounts, after its word about each was compared with its history.
    pub(crate) async fn as_shown(client: &Client, accounts: &[String]) -> Accounts {
        let mut shown = Accounts::new();
        for account in accounts {
            let history = client.history(account).await.unwrap();
            let standing = client.standing(account).await.unwrap();
            assert_eq!(standing.revision, history.len() as u64, "{account}");
            let events: Vec<_> = history.into_iter().map(|happened| happened.event).collect();
            assert_eq!(i128::from(standing.balance.minor_units()), balance(&events), "{account}");
            shown.insert(account.clone(), events);
        }
        shown
    }
}

/// What events leave on an account, added up without the help of the bank.
pub(crate) fn balance(events: &[AccountEvent]) -> i128 {
    let moved = events.iter().map(|event| match event {
        AccountEvent::Deposited { amount } => i128::from(amount.minor_units()),
        AccountEvent::Withdrawn { amount } => -i128::from(amount.minor_units()),
        AccountEvent::Opened { .. } | AccountEvent::Closed => 0,
    });
    moved.sum()
}
