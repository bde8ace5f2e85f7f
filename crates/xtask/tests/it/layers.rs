use xtask::layers::violations;

use crate::workspaces::{made_up, real};

#[test]
fn manifests_keep_the_layers() {
    let found = violations(&real());
    assert!(found.is_empty(), "these arrows may not be:\n{}", found.join("\n"));
}

#[test]
fn arrow_that_points_up_or_sideways_is_named() {
    let workspace = made_up(&[
        ("crates/model", &["actum-proto"]),
        ("crates/proto", &[]),
        ("crates/persistence", &["actum-store-sqlite"]),
        ("crates/store-sqlite", &["actum-persistence", "actum-runtime"]),
        ("crates/runtime", &["actum-testkit"]),
        ("testkit", &["actum-runtime", "actum-actum"]),
        ("crates/actum", &["actum-runtime", "actum-store-sqlite"]),
        ("examples/bank", &["actum-actum", "actum-testkit"]),
    ]);
    let not_down = |arrow: &str| format!("{arrow} does not point down");
    let expected = [
        "model -> proto",
        "persistence -> store-sqlite",
        "store-sqlite -> runtime",
        "runtime -> testkit",
    ];
    assert_eq!(violations(&workspace), expected.map(not_down));
}

#[test]
fn tests_may_look_up_but_name_no_guarded_crate() {
    let workspace = made_up(&[
        ("crates/persistence", &["actum-testkit?", "sqlx?"]),
        ("crates/runtime", &["ractor", "ractor_cluster"]),
        ("crates/store-postgres", &["sqlx"]),
        ("crates/bench", &["sqlx", "ractor", "ractor_cluster"]),
        ("testkit", &["ractor", "sqlx"]),
        ("examples/bank", &["ractor"]),
    ]);
    let arrows: Vec<_> = violations(&workspace);
    let arrows: Vec<_> =
        arrows.iter().map(|v| v.split_once(':').expect("a reason follows the arrow").0).collect();
    let expected =
        ["persistence -> sqlx", "runtime -> ractor_cluster", "testkit -> sqlx", "bank -> ractor"];
    assert_eq!(arrows, expected);
}

#[test]
fn member_without_a_layer_is_named() {
    let workspace = made_up(&[("crates/misc", &["actum-model"]), ("crates/model", &[])]);
    assert_eq!(
        violations(&workspace),
        ["misc -> model: one of them has no layer, give it one in layers.rs"]
    );
}
