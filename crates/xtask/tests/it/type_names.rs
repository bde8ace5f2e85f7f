use std::path::Path;

use xtask::type_names::{READ_ALONE, READ_TOGETHER, TypeNames};

use crate::workspaces::real;

#[test]
fn no_two_types_have_one_name() {
    let workspace = real();
    let mut found = Vec::new();
    let alone = READ_ALONE.iter().map(std::slice::from_ref);
    for dirs in alone.chain([&READ_TOGETHER[..]]) {
        let mut names = TypeNames::default();
        dirs.iter().for_each(|dir| names.add_crate(&workspace.root, dir).unwrap());
        found.extend(names.repeated());
    }
    assert!(found.is_empty(), "give one of them another name:\n{}", found.join("\n"));
}

fn repeated(files: &[(&str, &str)]) -> Vec<String> {
    let mut names = TypeNames::default();
    files.iter().for_each(|(file, source)| names.add(Path::new(file), source));
    names.repeated()
}

#[test]
fn types_of_every_sort_are_compared_however_visible() {
    let found = repeated(&[
        ("src/turn.rs", "pub(crate) struct Turn<'a> {}\nenum Stage {\n}\npub type Answer<R> = R;"),
        ("src/asked.rs", "pub(in crate::ask) trait Stage {}\npub struct Turn;\nstruct Answer(u8);"),
        ("src/other.rs", "struct Turned;"),
    ]);
    let expected = ["Answer", "Stage", "Turn"]
        .map(|name| format!("`{name}` is in src/turn.rs and src/asked.rs"));
    assert_eq!(found, expected);
}

#[test]
fn associated_types_tests_and_comments_do_not_count() {
    let found = repeated(&[
        (
            "src/turn.rs",
            "pub struct Turn;\n// struct Turn;\nimpl Model for A {\n    type Turn = Turn;\n}",
        ),
        ("src/other.rs", "#[cfg(test)]\nmod tests {\nstruct Turn;\n}"),
        ("src/turn/tests.rs", "struct Turn;"),
    ]);
    assert_eq!(found, [""; 0]);
}
