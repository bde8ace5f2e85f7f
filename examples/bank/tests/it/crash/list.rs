//! The list of accounts, which a projection keeps that was killed with the bank.

use super::journal::{Journal, balance};
use bank::account_list::ListedAccount;
use reqwest::StatusCode;
use serde_json::Value;

/// The list that a bank shows.
pub(crate) async fn read(url: &str) -> Vec<ListedAccount> {
    let page = get(&format!("{url}/accounts?limit=1000")).await.unwrap();
    serde_json::from_value(page["accounts"].clone()).unwrap()
}

/// How often what is not shown in time is asked for again; the bank waits 3 seconds each time.
const ASKED_MAX: usize = 20;

/// What is there, once it shows what was acknowledged: the projections of the bank that was killed are taken over first. None if
/// there is no such account.
pub(super) async fn get(url: &str) -> Option<Value> {
    let mut text = String::new();
    for _ in 0..ASKED_MAX {
        let page = reqwest::get(url).await.unwrap();
        let status = page.status();
        text = page.text().await.unwrap();
        match status {
            StatusCode::NOT_FOUND => return None,
            StatusCode::SERVICE_UNAVAILABLE => {}
            status => {
                assert!(status.is_success(), "{url} is {status}: {text}");
                return Some(serde_json::from_str(&text).unwrap());
            }
        }
    }
    panic!("{url} does not show what was acknowledged: {text}");
}

/// Every account is listed as its events have left it: none was missed, and none counted twice.
pub(crate) fn compare(listed: &[ListedAccount], journal: &Journal) {
    let expected = journal
        .accounts
        .iter()
        .map(|(account, events)| (account.as_str(), balance(events), events.len() as u64));
    let shown =
        listed.iter().map(|row| (row.account.as_str(), i128::from(row.balance), row.revision));
    assert_eq!(shown.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}
