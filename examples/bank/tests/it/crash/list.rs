//! The list of accounts, which a projection keeps that was killed with the bank.

use super::journal::{Journal, balance};
use bank::account_list::ListedAccount;

/// The list that a bank shows.
pub(crate) async fn read(url: &str) -> Vec<ListedAccount> {
    let page = reqwest::get(format!("{url}/accounts?limit=1000")).await.unwrap();
    let (status, text) = (page.status(), page.text().await.unwrap());
    assert!(status.is_success(), "the list does not show what was acknowledged: {text}");
    let page: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(page["accounts"].clone()).unwrap()
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
