//! The statements and the totals of days, which a projection keeps that was killed with the bank.

use super::{
    journal::{Accounts, Journal, balance},
    list::get,
};
use bank::{
    domain::AccountEvent,
    statements::{DayTotal, StatementLine},
};
use std::{collections::BTreeMap, slice};

/// The statements that a bank shows, and its days.
pub(crate) struct Shown {
    statements: BTreeMap<String, Vec<StatementLine>>,
    days: Vec<DayTotal>,
}

/// Reads those of these accounts; an account that was never opened has none.
pub(crate) async fn read(url: &str, accounts: &[String]) -> Shown {
    let mut statements = BTreeMap::new();
    for account in accounts {
        let mut lines: Vec<StatementLine> = Vec::new();
        let mut next = Some(format!("/accounts/{account}/statement?limit=1000"));
        while let Some(path) = next {
            let Some(page) = get(&format!("{url}{path}")).await else { break };
            lines.extend(serde_json::from_value::<Vec<_>>(page["lines"].clone()).unwrap());
            next = page["next"].as_str().map(str::to_owned);
        }
        if !lines.is_empty() {
            statements.insert(account.clone(), lines);
        }
    }
    let days = get(&format!("{url}/days?limit=1000")).await.unwrap();
    Shown { statements, days: serde_json::from_value(days["days"].clone()).unwrap() }
}

impl Shown {
    /// Every event has its line with the balance after it, and is in the total of its day once.
    pub(crate) fn compare(&self, journal: &Journal) {
        let lines = |accounts: &Accounts| -> Vec<(String, usize, i128)> {
            let of = |(account, events): (&String, &Vec<AccountEvent>)| -> Vec<_> {
                let mut sum = 0;
                let after_each = events.iter().zip(1..).map(|(event, nr)| {
                    sum += balance(slice::from_ref(event));
                    (account.clone(), nr, sum)
                });
                after_each.collect()
            };
            accounts.iter().flat_map(of).collect()
        };
        let shown = self.statements.iter().flat_map(|(account, lines)| {
            lines.iter().map(|line| {
                (account.clone(), usize::try_from(line.revision).unwrap(), line.balance.into())
            })
        });
        assert_eq!(shown.collect::<Vec<_>>(), lines(&journal.accounts));
        let (mut deposits, mut withdrawals) = ((0, 0), (0, 0));
        for event in journal.accounts.values().flatten() {
            let (total, amount) = match event {
                AccountEvent::Deposited { amount } => (&mut deposits, amount),
                AccountEvent::Withdrawn { amount } => (&mut withdrawals, amount),
                AccountEvent::Opened { .. } | AccountEvent::Closed => continue,
            };
            total.0 += 1;
            total.1 += u128::from(amount.minor_units());
        }
        let sum = |of: fn(&DayTotal) -> (u64, u128)| {
            self.days.iter().map(of).fold((0, 0), |sum, day| (sum.0 + day.0, sum.1 + day.1))
        };
        assert_eq!(sum(|day| (day.deposits, day.deposited)), deposits);
        assert_eq!(sum(|day| (day.withdrawals, day.withdrawn)), withdrawals);
    }
}
