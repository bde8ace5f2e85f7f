use std::path::Path;

use xtask::sources::{LINES_MAX, faults, rust_files};

use crate::workspaces::real;

#[test]
fn source_files_are_short_and_finished_and_wait_for_no_clock() {
    let root = real().root;
    let files = rust_files(&root).unwrap();
    assert!(
        files.iter().any(|file| file.ends_with("crates/model/src/lib.rs")),
        "the walk misses the sources"
    );
    let found: Vec<_> = files
        .iter()
        .flat_map(|file| {
            faults(file.strip_prefix(&root).unwrap(), &std::fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn long_file_is_named_unless_it_is_a_test_or_generated() {
    let longest = "\n".repeat(LINES_MAX);
    let too_long = "\n".repeat(LINES_MAX + 1);
    let long = |file: &str, source: &str| !faults(Path::new(file), source).is_empty();
    assert!(long("crates/model/src/effect.rs", &too_long));
    assert!(!long("crates/model/src/effect.rs", &longest));
    assert!(!long("crates/model/tests/it/effect.rs", &too_long));
    assert!(!long("crates/proto/src/gen/journal.rs", &too_long));
}

#[test]
fn forbidden_words_are_named_with_their_line_in_tests_too() {
    for words in [
        concat!("std::thread", "::sleep(d);"),
        concat!("#[", "ignore]"),
        concat!("#[", "ignore = \"slow\"]"),
        concat!("todo", "!()"),
        concat!("unimplemented", "!()"),
    ] {
        let found = faults(
            Path::new("crates/model/tests/it/main.rs"),
            &format!("fn f() {{\n    {words}\n}}\n"),
        );
        assert_eq!(found.len(), 1, "{words}");
        assert!(found[0].starts_with("crates/model/tests/it/main.rs:2: "), "{}", found[0]);
        assert_eq!(faults(Path::new("src/lib.rs"), &format!("/// Never {words}\n")), [""; 0]);
    }
}
