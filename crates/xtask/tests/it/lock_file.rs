use xtask::lock_file::{check, forbidden, is_built};

use crate::workspaces::real;

fn lock(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n"))
        .collect()
}

#[test]
fn nothing_is_built_with_a_second_tls_provider() {
    check(&real()).unwrap();
}

#[test]
fn crate_that_is_built_is_distinguished_from_one_that_is_not() {
    assert!(is_built(&real(), "aws-lc-rs").unwrap());
    assert!(is_built(&real(), "no-such-crate").is_err());
}

#[test]
fn forbidden_crate_is_found_by_its_whole_name() {
    assert_eq!(forbidden(&lock(&["ring", "tokio", "native-tls"])).unwrap(), ["ring", "native-tls"]);
    assert_eq!(forbidden(&lock(&["ring-buffer", "string", "openssl-probe"])).unwrap(), [""; 0]);
}

#[test]
fn text_without_packages_is_not_taken_for_a_clean_lock_file() {
    assert!(forbidden("").is_err());
    assert!(forbidden("<<<<<<< HEAD").is_err());
}
