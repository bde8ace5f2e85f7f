use xtask::servers::needed;

use crate::workspaces::{made_up, real};

fn are_needed(args: &[&str]) -> bool {
    let workspace = made_up(&[
        ("crates/model", &[]),
        ("crates/runtime", &["actum-model"]),
        ("crates/store-postgres", &["actum-model", "actum-test-servers?"]),
        ("testkit/test-servers", &[]),
    ]);
    needed(&workspace, &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
}

#[test]
fn whole_suite_and_whatever_selects_no_package_needs_servers() {
    for args in [&[][..], &["--workspace"], &["partition"], &["--", "-p", "actum-model"]] {
        assert!(are_needed(args), "{args:?}");
    }
}

#[test]
fn packages_without_servers_need_none_however_they_are_named() {
    for args in [
        &["-p", "actum-model"][..],
        &["-pactum-model", "some_test"],
        &["-p=actum-model"],
        &["--package", "actum-model", "--package=actum-runtime"],
        &["--release", "-p", "actum-model", "--", "--nocapture"],
    ] {
        assert!(!are_needed(args), "{args:?}");
    }
}

#[test]
fn one_package_with_servers_is_enough_and_what_is_unknown_may_be_one() {
    for args in [
        &["-p", "actum-store-postgres"][..],
        &["-p", "actum-model", "-p", "actum-store-postgres"],
        &["-p", "actum-test-servers"],
        &["-p", "actum-*"],
        &["-p"],
    ] {
        assert!(are_needed(args), "{args:?}");
    }
}

#[test]
fn real_store_of_postgres_needs_servers_and_the_model_does_not() {
    let needs = |name: &str| needed(&real(), &["-p".to_owned(), name.to_owned()]);
    assert!(needs("actum-store-postgres"));
    assert!(!needs("actum-model"));
}
