use serde_json::json;
use xtask::toolchain::{Release, inherits, installed, newer_than, promised, promises};

use crate::workspaces::real;

#[test]
fn every_member_makes_the_promise() {
    assert!(promises(&real()).unwrap() >= Release(1, 85, 0), "the edition is of 1.85");
}

#[test]
fn toolchain_of_the_promised_release_is_found_whatever_its_patch() {
    let list = "stable-x86_64-unknown-linux-gnu (active, default)\n\
                nightly-2026-01-01-x86_64-unknown-linux-gnu\n\
                1.94.1-x86_64-unknown-linux-gnu\n1.95.0-x86_64-unknown-linux-gnu\n";
    let found = |release: &str| installed(list, release.parse().unwrap());
    assert_eq!(found("1.95").as_deref(), Some("1.95.0-x86_64-unknown-linux-gnu"));
    assert_eq!(found("1.94").as_deref(), Some("1.94.1-x86_64-unknown-linux-gnu"));
    assert_eq!(found("1.9"), None);
    assert_eq!(installed("", Release(1, 95, 0)), None);
    assert_eq!(installed("no installed toolchains", Release(0, 0, 0)), None);
}

#[test]
fn dependencies_that_ask_for_a_newer_rust_are_named() {
    let metadata = json!({ "packages": [
        { "name": "old", "rust_version": "1.60" },
        { "name": "same", "rust_version": "1.95.0" },
        { "name": "silent", "rust_version": null },
        { "name": "new", "rust_version": "1.96" },
        { "name": "newer", "rust_version": "1.95.1" },
    ] });
    let newer = newer_than(Release(1, 95, 0), &metadata).unwrap();
    assert_eq!(newer, ["new asks for 1.96", "newer asks for 1.95.1"]);
    assert!(newer_than(Release(1, 95, 0), &json!({})).is_err());
}

#[test]
fn releases_are_ordered_by_number() {
    let release = |text: &str| text.parse::<Release>().unwrap();
    assert!(release("1.95") < release("1.95.1"));
    assert!(release("1.100.0") > release("1.95.0"));
    assert_eq!(release("1.97.0-nightly"), Release(1, 97, 0));
    assert!("stable".parse::<Release>().is_err());
}

#[test]
fn member_must_inherit_the_promise() {
    assert!(inherits("[package]\nrust-version.workspace = true").is_ok());
    for manifest in
        ["[package]", "[package]\nrust-version = \"1.95\"", "[package]\nversion.workspace = true"]
    {
        assert!(inherits(manifest).is_err(), "{manifest}");
    }
}

#[test]
fn promise_is_read_from_the_root() {
    assert_eq!(
        promised("[workspace.package]\nrust-version = \"1.95\"").unwrap(),
        Release(1, 95, 0)
    );
    assert!(promised("[workspace.package]\nedition = \"2024\"").is_err());
}
