//! Stories that hold.

use crate::{
    account::{
        Account,
        AccountEvent::{Closed, Deposited, Opened, Withdrawn},
        Balance, Close, Deposit, Open, Refused, Withdraw,
    },
    preferences::{NoSuchTheme, Preferences, Reset, SetTheme, Themes},
};
use actum_model::Metadata;
use actum_testkit::Given;

fn open_account() -> Given<Account> {
    Given::<Account>::entity("a").events([Opened, Deposited(20)])
}

fn themes() -> Themes {
    Themes(vec!["light", "dark"])
}

#[test]
fn events_reply_and_state_of_an_accepted_command_are_reported() {
    open_account()
        .when(Withdraw(5))
        .then_events([Withdrawn(5)])
        .then_events_with(|events| events.len() == 1)
        .then_reply(15)
        .then_reply_with(|balance| *balance == 15)
        .then_state(|account| account.balance == 15)
        .then_stays()
        .expect_revision(3);
}

#[test]
fn each_step_meets_the_state_the_last_one_left() {
    Given::<Account>::entity("a")
        .when(Open)
        .then_events([Opened])
        .when(Deposit(vec![1, 2, 3]))
        .then_events([Deposited(1), Deposited(2), Deposited(3)])
        .then_reply(6)
        .when(Withdraw(4))
        .then_accepted()
        .when(Balance)
        .then_no_events()
        .then_reply(2);
}

#[test]
fn a_rejected_command_leaves_everything_as_it_was() {
    open_account()
        .when(Withdraw(25))
        .then_rejected(Refused::Insufficient { short_by: 5 })
        .then_no_events()
        .then_stays()
        .then_state(|account| assert_eq!(account.balance, 20))
        .expect_revision(2)
        .when(Withdraw(21))
        .then_rejected_with(|refused| matches!(refused, Refused::Insufficient { short_by: 1 }))
        .when(Withdraw(20))
        .then_reply(0);
}

#[test]
fn nothing_given_is_an_entity_to_which_nothing_happened() {
    Given::<Account>::entity("a")
        .expect_revision(0)
        .when(Withdraw(1))
        .then_rejected(Refused::NotOpen)
        .then_state(|account| !account.open);
}

#[test]
fn persisting_no_events_is_storing_none() {
    open_account().when(Deposit(vec![])).then_no_events().then_events([]).expect_revision(2);
}

#[test]
fn metadata_and_sequence_number_reach_the_handler() {
    let metadata = Metadata::new().with_header("by", "me");
    open_account()
        .when_with(Close, metadata)
        .then_reply("a closed at 2 by me".into())
        .then_passivates()
        .when_with(Close, Metadata::new())
        .then_events([Closed])
        .then_reply("a closed at 3 by nobody".into());
}

#[test]
fn a_given_state_stands_for_the_events_that_led_to_it() {
    let account = Account { balance: 7, open: true };
    Given::<Account>::entity("a")
        .state(account.clone())
        .expect_revision(1)
        .when(Withdraw(7))
        .then_reply(0);
    Given::<Account>::entity("a")
        .state_at(40, account)
        .events([Deposited(1)])
        .events([Deposited(2)])
        .expect_revision(42)
        .when(Balance)
        .then_reply(10);
}

#[test]
fn states_that_snapshots_are_taken_of_go_through_their_codec() {
    open_account().snapshots().when(Withdraw(5)).then_reply(15).when(Withdraw(5)).then_reply(10);
}

#[test]
fn a_durable_state_is_replaced_and_deleted() {
    Given::<Preferences>::entity(7u64)
        .env(themes())
        .state(Preferences { theme: "dark".into() })
        .expect_revision(1)
        .when(SetTheme("light".into()))
        .then_replaced(Preferences { theme: "light".into() })
        .then_reply("dark".into())
        .when(SetTheme("light".into()))
        .then_unchanged()
        .expect_revision(2)
        .when(SetTheme("pink".into()))
        .then_rejected(NoSuchTheme)
        .then_unchanged()
        .when(Reset)
        .then_deleted()
        .then_reply(2)
        .then_state(|preferences| preferences.theme == "light")
        .expect_revision(3);
}

#[test]
fn a_durable_state_that_was_never_written_is_initial() {
    Given::<Preferences>::entity(7u64)
        .env(themes())
        .when(SetTheme("dark".into()))
        .then_reply("light".into())
        .then_replaced(Preferences { theme: "dark".into() })
        .expect_revision(1);
}
