use std::path::Path;

use xtask::circles::{FREE_OF_CIRCLES, ModuleArrows};

use crate::workspaces::real;

#[test]
fn modules_of_the_engine_form_no_circle() {
    let workspace = real();
    let mut found = Vec::new();
    for dir in FREE_OF_CIRCLES {
        let arrows = ModuleArrows::of_crate(&workspace.root.join(dir)).unwrap();
        let circles = arrows.circles();
        found.extend(circles.into_iter().map(|circle| format!("{dir}: {}", circle.join(" -> "))));
    }
    assert!(found.is_empty(), "circles of modules:\n{}", found.join("\n"));
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let mut arrows = ModuleArrows::default();
    files.iter().for_each(|(file, source)| arrows.add(Path::new(file), source));
    arrows.circles().into_iter().map(|circle| circle.join(" -> ")).collect()
}

#[test]
fn a_circle_is_found_however_long_and_wherever_its_arrows_are() {
    let found = circles(&[
        ("lib.rs", "pub use partition::{Handle, State};\npub use clock::Clock;"),
        ("alarm.rs", "use crate::{\n    clock::{Clock, Wall},\n    State,\n};"),
        ("partition/mod.rs", "mod handle;\npub use self::handle::State;"),
        ("partition/handle.rs", "fn read() -> crate::journal::Held {}"),
        ("journal.rs", "use crate::{alarm::Alarm};"),
        ("clock.rs", ""),
    ]);
    assert_eq!(found, ["alarm -> partition -> journal -> alarm"]);
}

#[test]
fn each_directory_is_looked_at() {
    let found = circles(&[
        ("lib.rs", "mod cell;"),
        ("cell/mod.rs", "pub use {model::Model as Kept, turn::Turn};\nuse waiting::Waiting;"),
        ("cell/model.rs", "use super::{self as all, Turn};"),
        ("cell/turn.rs", "fn of(waiting: super::Waiting) {}"),
        ("cell/waiting.rs", "use crate::cell::{Kept, phase::{self}};"),
        ("cell/phase.rs", "mod idle;\nuse self::idle::Idle;"),
        ("cell/phase/idle.rs", "use super::super::phase::begin::Begun;"),
        ("cell/phase/begin.rs", "use super::idle::Idle;"),
    ]);
    let expected = [
        "cell/model -> cell/turn -> cell/waiting -> cell/model",
        "cell/phase/begin -> cell/phase/idle -> cell/phase/begin",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_module_and_those_below_it_may_name_each_other() {
    let found = circles(&[
        ("lib.rs", "mod partition;\nuse partition::Partition;"),
        ("partition.rs", "use crate::partition::turn::Turn;\nuse self::shell::Shell;"),
        ("partition/turn.rs", "use super::Partition;\nuse crate::partition::shell::Shell;"),
        ("partition/shell.rs", "use crate::Partition;"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_comments_and_tests_name_and_a_module_itself_are_no_arrows() {
    let found = circles(&[
        ("alarm.rs", "use crate::clock::Clock;"),
        (
            "clock.rs",
            "/// [`Alarm`](crate::alarm::Alarm)\nuse crate::clock::Wall;\n#[cfg(test)]\nmod tests {\n    use crate::alarm::Alarm;\n}",
        ),
        ("clock/tests.rs", "use crate::alarm::Alarm;"),
    ]);
    assert_eq!(found, [""; 0]);
}
