//! What an account does, tested without a bank around it.

use actum_testkit::Given;
use bank::domain::{
    Account, AccountEvent, Applied, Balance, Close, Deposit, Money, Open, Refused, Standing,
    Status, Withdraw,
};

fn money(minor_units: u64) -> Money {
    Money::new(minor_units).unwrap()
}

fn opened() -> AccountEvent {
    AccountEvent::Opened { owner: "Ada".to_owned() }
}

fn deposited(amount: u64) -> AccountEvent {
    AccountEvent::Deposited { amount: money(amount) }
}

fn withdrawn(amount: u64) -> AccountEvent {
    AccountEvent::Withdrawn { amount: money(amount) }
}

fn applied(event: AccountEvent, balance: u64, revision: u64) -> Applied {
    Applied { event, balance: money(balance), revision }
}

/// An account to which this has happened.
fn ada(events: impl IntoIterator<Item = AccountEvent>) -> Given<Account> {
    Given::entity("ada").snapshots().events(events)
}

#[test]
fn account_is_opened_used_emptied_and_closed() {
    ada([])
        .when(Open { owner: " Ada ".to_owned() })
        .then_events([opened()])
        .then_reply(applied(opened(), 0, 1))
        .when(Deposit { amount: money(30) })
        .then_events([deposited(30)])
        .then_reply(applied(deposited(30), 30, 2))
        .when(Withdraw { amount: money(10) })
        .then_events([withdrawn(10)])
        .then_reply(applied(withdrawn(10), 20, 3))
        .when(Balance)
        .then_events([])
        .then_reply(Standing {
            owner: "Ada".to_owned(),
            status: Status::Open,
            balance: money(20),
            revision: 3,
        })
        .when(Withdraw { amount: money(20) })
        .then_reply(applied(withdrawn(20), 0, 4))
        .when(Close)
        .then_events([AccountEvent::Closed])
        .then_reply(applied(AccountEvent::Closed, 0, 5));
}

#[test]
fn account_that_was_never_opened_refuses_all_but_opening() {
    ada([]).when(Deposit { amount: money(1) }).then_rejected(Refused::NotOpen);
    ada([]).when(Withdraw { amount: money(1) }).then_rejected(Refused::NotOpen);
    ada([]).when(Close).then_rejected(Refused::NotOpen);
    ada([]).when(Balance).then_rejected(Refused::NotOpen);
}

#[test]
fn account_is_opened_once() {
    let open = || Open { owner: "Bob".to_owned() };
    ada([opened()]).when(open()).then_rejected(Refused::AlreadyOpen);
    ada([opened(), AccountEvent::Closed]).when(open()).then_rejected(Refused::Closed);
}

#[test]
fn owner_is_counted_in_characters_without_spaces_around() {
    for (owner, found) in [(String::new(), 0), ("\u{2003}\n".to_owned(), 0), ("ü".repeat(101), 101)]
    {
        ada([]).when(Open { owner }).then_rejected(Refused::OwnerInvalid { max: 100, found });
    }
    ada([])
        .when(Open { owner: format!(" {} ", "ü".repeat(100)) })
        .then_events([AccountEvent::Opened { owner: "ü".repeat(100) }]);
}

#[test]
fn nothing_is_moved_by_nothing() {
    let amount = Money::ZERO;
    ada([opened()]).when(Deposit { amount }).then_rejected(Refused::AmountNotPositive);
    ada([opened()]).when(Withdraw { amount }).then_rejected(Refused::AmountNotPositive);
}

#[test]
fn last_unit_can_be_withdrawn_and_not_one_more() {
    let (balance, amount) = (money(5), money(6));
    ada([opened(), deposited(5)])
        .when(Withdraw { amount })
        .then_rejected(Refused::InsufficientFunds { balance, amount })
        .when(Withdraw { amount: balance })
        .then_reply(applied(withdrawn(5), 0, 3));
}

#[test]
fn balance_reaches_the_largest_amount_and_does_not_pass_it() {
    let (max, one) = (Money::MAX, money(1));
    ada([opened(), deposited(1)])
        .when(Deposit { amount: max })
        .then_rejected(Refused::BalanceOverflow { balance: one, amount: max })
        .when(Deposit { amount: max.checked_sub(one).unwrap() })
        .then_state(|account| format!("{account:?}").contains("9223372036854775807"))
        .when(Deposit { amount: one })
        .then_rejected(Refused::BalanceOverflow { balance: max, amount: one })
        .when(Withdraw { amount: max })
        .then_accepted();
}

#[test]
fn account_with_money_on_it_is_not_closed() {
    ada([opened(), deposited(5)])
        .when(Close)
        .then_rejected(Refused::NotEmpty { balance: money(5) });
}

#[test]
fn closed_account_is_only_looked_at() {
    let closed = || ada([opened(), AccountEvent::Closed]);
    closed().when(Deposit { amount: money(1) }).then_rejected(Refused::Closed);
    closed().when(Withdraw { amount: money(1) }).then_rejected(Refused::Closed);
    closed().when(Close).then_rejected(Refused::Closed);
    let (owner, status) = ("Ada".to_owned(), Status::Closed);
    closed().when(Balance).then_reply(Standing {
        owner,
        status,
        balance: Money::ZERO,
        revision: 2,
    });
}

#[test]
fn money_is_0_to_2_to_the_63_less_1_and_never_wraps() {
    let max = u64::try_from(i64::MAX).unwrap();
    assert_eq!(Money::new(max), Some(Money::MAX));
    assert_eq!(Money::new(max + 1), None);
    assert_eq!(Money::MAX.checked_add(money(1)), None);
    assert_eq!(Money::MAX.checked_add(Money::MAX), None);
    assert_eq!(Money::ZERO.checked_sub(money(1)), None);
    assert_eq!(money(2).checked_add(money(3)), Some(money(5)));
    assert_eq!(money(3).checked_sub(money(3)), Some(Money::ZERO));
}

/// What is stored must be readable for ever, so these texts never change.
#[test]
fn events_are_stored_as_they_always_were() {
    for (event, stored) in [
        (opened(), r#"{"type":"opened","owner":"Ada"}"#),
        (deposited(5), r#"{"type":"deposited","amount":5}"#),
        (
            withdrawn(9_223_372_036_854_775_807),
            r#"{"type":"withdrawn","amount":9223372036854775807}"#,
        ),
        (AccountEvent::Closed, r#"{"type":"closed"}"#),
    ] {
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        assert_eq!(serde_json::from_str::<AccountEvent>(stored).unwrap(), event);
    }
}
