use xtask::twins::{TWINS, Twins};

use crate::workspaces::real;

#[test]
fn architecture_page_lists_exactly_what_both_sql_stores_have() {
    let workspace = real();
    let page = Twins::of_page(&workspace.read("ARCHITECTURE.md").unwrap()).unwrap();
    let [sqlite, postgres] = TWINS.map(|dir| workspace.root.join(dir));
    let sources = Twins::of_sources(&sqlite, &postgres).unwrap();
    let found = Twins::disagreements(&page, &sources);
    assert!(found.is_empty(), "ARCHITECTURE.md and the stores disagree:\n{}", found.join("\n"));
}

fn page(names: &str) -> Twins {
    Twins::of_page(&format!("# Title\n\n```twins\n{names}\n```\nmore\n")).unwrap()
}

#[test]
fn files_of_both_are_twins_and_files_of_one_are_not() {
    let [first, second] = [["lib", "schema/mod", "room"], ["lib", "schema/mod", "url"]]
        .map(|names| names.map(str::to_owned));
    assert_eq!(Twins::of_files(&first, &second), page("schema/mod lib"));
}

#[test]
fn what_is_missing_on_either_side_is_named() {
    let found = Twins::disagreements(&page("lib store"), &page("lib fence"));
    let expected =
        ["both have `fence`, which is not on the page", "`store` is on the page, and not in both"];
    assert_eq!(found, expected);
}

#[test]
fn page_needs_exactly_one_block_without_repetition() {
    for (page, problem) in [
        ("# No block", "no block"),
        ("\n```twins\na\n```\n\n```twins\nb\n```\n", "more than one"),
        ("\n```twins\na\n", "does not end"),
        ("\n```twins\na b a\n```\n", "`a` is there twice"),
    ] {
        let error = Twins::of_page(page).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
