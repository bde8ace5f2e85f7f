use xtask::arrows::Arrows;

use crate::workspaces::{made_up, real};

#[test]
fn architecture_page_shows_exactly_the_arrows_of_the_manifests() {
    let workspace = real();
    let page = Arrows::of_page(&workspace.read("ARCHITECTURE.md").unwrap()).unwrap();
    let found = Arrows::disagreements(&page, &Arrows::of_manifests(&workspace));
    assert!(found.is_empty(), "ARCHITECTURE.md and the manifests disagree:\n{}", found.join("\n"));
}

fn page(arrows: &str) -> Arrows {
    Arrows::of_page(&format!("# Title\n\n```arrows\n{arrows}\n```\nmore\n")).unwrap()
}

#[test]
fn arrow_that_is_not_on_the_page_is_named() {
    let manifests = Arrows::of_manifests(&made_up(&[
        ("crates/model", &[]),
        ("crates/persistence", &["actum-model", "serde"]),
    ]));
    let found = Arrows::disagreements(&page("model ->\npersistence ->"), &manifests);
    assert_eq!(found, ["persistence -> model is not on the page"]);
}

#[test]
fn arrow_that_no_manifest_has_is_named() {
    let manifests =
        Arrows::of_manifests(&made_up(&[("crates/model", &[]), ("crates/persistence", &[])]));
    let found = Arrows::disagreements(&page("model ->\npersistence -> model"), &manifests);
    assert_eq!(found, ["persistence -> model is in no manifest"]);
}

#[test]
fn member_without_a_line_and_line_without_a_member_are_named() {
    let manifests = Arrows::of_manifests(&made_up(&[("crates/model", &[])]));
    let found = Arrows::disagreements(&page("proto ->"), &manifests);
    assert_eq!(
        found,
        [
            "model is a member and has no line on the page",
            "proto has a line on the page and is no member"
        ]
    );
}

#[test]
fn heavy_crates_from_outside_are_drawn_and_test_dependencies_are_not() {
    let manifests = Arrows::of_manifests(&made_up(&[
        ("crates/model", &[]),
        ("crates/store-sqlite", &["sqlx", "tokio", "actum-model?", "ractor?"]),
    ]));
    assert_eq!(manifests, page("model ->\nstore-sqlite -> sqlx"));
}

#[test]
fn page_needs_exactly_one_readable_block() {
    for (page, problem) in [
        ("# No block", "no block"),
        ("\n```arrows\na ->\n```\n\n```arrows\nb ->\n```\n", "more than one block"),
        ("\n```arrows\na -> b\n", "does not end"),
        ("\n```arrows\na b\n```\n", "not an arrow: a b"),
        ("\n```arrows\na -> b\na -> c\n```\n", "more than one line for a"),
    ] {
        let error = Arrows::of_page(page).unwrap_err().to_string();
        assert!(error.contains(problem), "{page:?}: {error}");
    }
}
