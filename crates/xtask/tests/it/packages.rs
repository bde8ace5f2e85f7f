use crate::workspaces::real;
use xtask::packages::shortcomings;

#[test]
fn published_crates_are_documented_whole_and_internal_ones_say_what_they_are() {
    assert_eq!(shortcomings(&real()).unwrap(), Vec::<String>::new());
}

#[test]
fn what_a_published_crate_lacks_is_named() {
    let mut workspace = real();
    let host = workspace.packages.iter_mut().find(|package| package.name == "actum-host").unwrap();
    host.documented_whole = false;
    host.readme = "../../README.md".to_owned();
    assert_eq!(
        shortcomings(&workspace).unwrap(),
        [
            "actum-host is not documented with all features on docs.rs",
            "actum-host is internal and has no readme of its own that says so",
        ]
    );
}
