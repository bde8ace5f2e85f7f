use xtask::lock_file::forbidden;

use crate::workspaces::real;

fn lock(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n"))
        .collect()
}

#[test]
fn locked_dependencies_hold_one_tls_provider() {
    assert_eq!(forbidden(&real().read("Cargo.lock").unwrap()).unwrap(), [""; 0]);
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
