use xtask::toolchain::{Release, check, inherits, promised};

use crate::workspaces::real;

#[test]
fn this_rust_is_promised_and_every_member_makes_the_promise() {
    check(&real()).unwrap();
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
