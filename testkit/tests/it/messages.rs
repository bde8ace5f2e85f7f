//! What a test says when the entity does something else than expected.

use crate::{
    account::{
        Account,
        AccountEvent::{self, Deposited, Opened, Withdrawn},
        Balance, Close, Deposit, Open, Refused, Withdraw,
    },
    failing::{fails_with, failure},
    preferences::{NoSuchTheme, Preferences, Reset, SetTheme, Themes},
};
use actum_testkit::{Given, GivenEnv, Step};

fn account() -> Given<Account> {
    Given::<Account>::entity("a").events([Opened, Deposited(20)])
}

fn preferences() -> Given<Preferences, GivenEnv<Themes>> {
    Given::<Preferences>::entity(7u64).env(Themes(vec!["light", "dark"]))
}

fn dark() -> Preferences {
    Preferences { theme: "dark".into() }
}

#[test]
fn other_events_are_shown_one_a_line() {
    fails_with(
        || {
            account()
                .when(Deposit(vec![1, 2, 3]))
                .then_events([Deposited(1), Deposited(20), Deposited(3)]);
        },
        "when Deposit([1, 2, 3]), step 1 of account/a: the events are not the expected ones (- expected, + got)
      Deposited(1)
    - Deposited(20)
    + Deposited(2)
      Deposited(3)",
    );
}

#[test]
fn missing_and_surplus_events_are_shown() {
    let text = failure(|| account().when(Deposit(vec![1, 2])).then_events([Deposited(1)]));
    assert!(text.ends_with("got)\n      Deposited(1)\n    + Deposited(2)"), "{text}");
    let text = failure(|| account().when(Withdraw(1)).then_events([]));
    assert!(text.ends_with("got)\n    + Withdrawn(1)"), "{text}");
    let text = failure(|| account().when(Balance).then_events([Withdrawn(1)]));
    assert!(text.ends_with("got)\n    - Withdrawn(1)"), "{text}");
}

#[test]
fn the_order_of_events_matters() {
    let swapped = [Deposited(2), Deposited(1)];
    let deposit = || account().unordered().when(Deposit(vec![1, 2]));
    let text = failure(|| deposit().then_events(swapped));
    assert!(text.contains("the events are not the expected ones"), "{text}");
}

#[test]
fn events_where_none_were_expected_are_shown() {
    fails_with(
        || account().when(Withdraw(5)).then_no_events(),
        "when Withdraw(5), step 1 of account/a: expected no events (+ got)
    + Withdrawn(5)",
    );
}

#[test]
fn events_that_a_closure_refuses_are_shown() {
    fails_with(
        || account().when(Deposit(vec![1, 2])).then_events_with(|_| false),
        "when Deposit([1, 2]), step 1 of account/a: the events are not as expected:
    Deposited(1)
    Deposited(2)",
    );
    let text = failure(|| account().when(Balance).then_events_with(|_| false));
    assert!(text.ends_with("not as expected: there are none"), "{text}");
}

#[test]
fn another_reply_is_shown_beside_the_expected_one() {
    fails_with(
        || account().when(Withdraw(5)).then_reply(16),
        "when Withdraw(5), step 1 of account/a: the reply is not the expected one (- expected, + got)
    - 16
    + 15",
    );
    fails_with(
        || account().when(Withdraw(5)).then_reply_with(|balance| *balance > 15),
        "when Withdraw(5), step 1 of account/a: the reply is not as expected:
    15",
    );
}

#[test]
fn a_rejection_that_was_not_expected_is_named_whatever_was() {
    let expected = "when Withdraw(21), step 1 of account/a: expected it to be accepted, but it was rejected \
                    with Insufficient { short_by: 1 } (1 short)";
    let thens: [fn(Step<Account, Withdraw>); 9] = [
        |step| drop(step.then_events([])),
        |step| drop(step.then_no_events()),
        |step| drop(step.then_events_with(|_| true)),
        |step| drop(step.then_reply(0)),
        |step| drop(step.then_reply_with(|_| true)),
        |step| drop(step.then_state(|_| true)),
        |step| drop(step.then_passivates()),
        |step| drop(step.then_stays()),
        |step| drop(step.then_accepted()),
    ];
    for then in thens {
        fails_with(|| then(account().when(Withdraw(21))), expected);
    }
}

#[test]
fn what_needs_acceptance_fails_even_behind_an_expected_rejection() {
    let rejected = || account().when(Withdraw(21)).then_rejected_with(|_| true);
    for text in [
        failure(|| rejected().then_events([])),
        failure(|| rejected().then_reply(0)),
        failure(|| rejected().then_passivates()),
    ] {
        assert!(text.contains("expected it to be accepted, but it was rejected"), "{text}");
    }
}

#[test]
fn an_acceptance_that_was_not_expected_says_what_was_done() {
    fails_with(
        || account().when(Withdraw(5)).then_rejected(Refused::NotOpen),
        "when Withdraw(5), step 1 of account/a: expected it to be rejected with NotOpen, but it was accepted: \
         it stored Withdrawn(5)",
    );
    fails_with(
        || account().when(Withdraw(0)).then_events([Withdrawn(0)]).then_rejected_with(|_| true),
        "when Withdraw(0), step 1 of account/a: expected it to be rejected, but it was accepted: \
         it stored Withdrawn(0)",
    );
    let text = failure(|| preferences().when(Reset).then_rejected_with(|_| true));
    assert!(text.ends_with("but it was accepted: it deleted the state"), "{text}");
}

#[test]
fn another_rejection_is_shown_beside_the_expected_one() {
    fails_with(
        || account().when(Withdraw(21)).then_rejected(Refused::Insufficient { short_by: 2 }),
        "when Withdraw(21), step 1 of account/a: the rejection is not the expected one (- expected, + got)
    - Insufficient { short_by: 2 }
    + Insufficient { short_by: 1 }",
    );
    fails_with(
        || account().when(Withdraw(21)).then_rejected_with(|no| *no == Refused::NotOpen),
        "when Withdraw(21), step 1 of account/a: the rejection is not as expected:
    Insufficient {
        short_by: 1,
    }",
    );
}

#[test]
fn a_state_that_a_closure_refuses_is_shown() {
    fails_with(
        || account().when(Withdraw(5)).then_state(|account| account.balance == 20),
        "when Withdraw(5), step 1 of account/a: the state is not as expected:
    Account {
        balance: 15,
        open: true,
    }",
    );
    let text = failure(|| {
        let step = account().when(Withdraw(5)).then_accepted();
        step.then_state(|account| assert_eq!(account.balance, 20, "the balance"));
    });
    assert!(text.contains("the balance"), "{text}");
}

#[test]
fn staying_and_passivating_are_distinguished() {
    fails_with(
        || account().when(Balance).then_passivates(),
        "when Balance, step 1 of account/a: expected the entity to passivate, but it stays",
    );
    fails_with(
        || account().when(Close).then_stays(),
        "when Close, step 1 of account/a: expected the entity to stay, but it passivates",
    );
}

#[test]
fn another_revision_is_named() {
    fails_with(
        || account().when(Withdraw(5)).then_reply(15).expect_revision(2),
        "when Withdraw(5), step 1 of account/a: expected revision 2 behind it, the entity is at 3",
    );
    fails_with(
        || account().expect_revision(3).when(Balance),
        "given account/a: expected revision 3, the entity is at 2",
    );
}

#[test]
fn the_failing_step_of_a_story_is_named() {
    let text = failure(|| {
        account()
            .when(Open)
            .then_no_events()
            .when(Withdraw(5))
            .then_reply(15)
            .when(Balance)
            .then_reply(0)
    });
    assert!(text.starts_with("when Balance, step 3 of account/a: the reply"), "{text}");
}

#[test]
fn a_step_of_which_nothing_is_said_fails_when_the_story_ends() {
    let text = failure(|| account().when(Withdraw(5)));
    assert!(
        text.starts_with(
            "when Withdraw(5), step 1 of account/a: the test does not say what it expects (testkit"
        ),
        "{text}"
    );
    assert!(text.contains("messages.rs:"), "{text}");
    assert!(
        text.ends_with(
            "
    it stored Withdrawn(5), and replied 15
    follow it by `then_events`, `then_reply`, `then_rejected` or another `then_…`; \
             `then_accepted` if it only leads somewhere"
        ),
        "{text}"
    );
}

#[test]
fn a_step_of_which_nothing_is_said_fails_when_the_next_begins() {
    let text = failure(|| account().when(Withdraw(21)).when(Balance).then_reply(20));
    assert!(
        text.starts_with("when Withdraw(21), step 1 of account/a: the test does not say"),
        "{text}"
    );
    assert!(text.contains("it was rejected with Insufficient { short_by: 1 } (1 short)"), "{text}");
}

#[test]
fn the_revision_alone_says_nothing_of_a_step() {
    let text = failure(|| account().when(Balance).expect_revision(2));
    assert!(text.contains("does not say what it expects"), "{text}");
    assert!(text.contains("it changed nothing, and replied 20"), "{text}");
}

#[test]
fn a_test_that_fails_elsewhere_is_not_aborted_by_a_step_that_is_left() {
    let text = failure(|| {
        let _step = account().when(Withdraw(5));
        panic!("another reason");
    });
    assert_eq!(text, "another reason");
}

#[test]
fn another_durable_state_is_shown_beside_the_expected_one() {
    fails_with(
        || {
            let expected = Preferences { theme: "light".into() };
            preferences().when(SetTheme("dark".into())).then_replaced(expected);
        },
        r#"when SetTheme("dark"), step 1 of preferences/7: the new state is not the expected one (- expected, + got)
    - Preferences { theme: "light" }
    + Preferences { theme: "dark" }"#,
    );
}

#[test]
fn replaced_deleted_and_unchanged_are_distinguished() {
    fails_with(
        || preferences().when(SetTheme("light".into())).then_replaced(dark()),
        r#"when SetTheme("light"), step 1 of preferences/7: expected the state to be replaced, but it changed nothing"#,
    );
    fails_with(
        || preferences().when(SetTheme("dark".into())).then_deleted(),
        r#"when SetTheme("dark"), step 1 of preferences/7: expected the state to be deleted, but it replaced the state by Preferences { theme: "dark" }"#,
    );
    fails_with(
        || preferences().when(Reset).then_unchanged(),
        "when Reset, step 1 of preferences/7: expected no change, but it deleted the state",
    );
    fails_with(
        || preferences().when(SetTheme("pink".into())).then_unchanged(),
        r#"when SetTheme("pink"), step 1 of preferences/7: expected it to be accepted, but it was rejected with NoSuchTheme (there is no such theme)"#,
    );
    preferences().when(SetTheme("pink".into())).then_rejected(NoSuchTheme);
}

#[test]
fn an_expected_value_that_cannot_be_encoded_is_the_tests_own_fault() {
    use crate::broken::{As, Odd, Thing, deed};
    fails_with(
        || Given::<Odd>::entity("o").when(deed("store 1")).then_events([As(Thing::CannotEncode)]),
        r#"when Do("store 1"), step 1 of odd/o: the expected event As(CannotEncode) is no valid one: encoding failed: no encoding"#,
    );
}

#[test]
fn a_large_state_shows_only_what_is_near_a_difference() {
    let events: Vec<AccountEvent> = (0..20).map(Deposited).collect();
    let mut expected = events.clone();
    expected[10] = Deposited(99);
    let text = failure(|| account().when(Deposit((0..20).collect())).then_events(expected));
    assert!(text.contains("\n      …\n      Deposited(7)"), "{text}");
    assert!(text.ends_with("    - Deposited(99)\n    + Deposited(10)\n      Deposited(11)\n      Deposited(12)\n      Deposited(13)\n      …"), "{text}");
}
