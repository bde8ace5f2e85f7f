use std::path::Path;

use xtask::circles::{FREE_OF_CIRCLES, ModuleArrows};

use crate::workspaces::real;

#[test]
fn modules_of_the_engine_form_no_circle() {
    let workspace = real();
    for dir in FREE_OF_CIRCLES {
        let arrows = ModuleArrows::of_crate(&workspace.root.join(dir)).unwrap();
        let circle = arrows.circle().map(|circle| circle.join(" -> "));
        assert_eq!(circle, None, "in {dir}");
    }
}

fn arrows(files: &[(&str, &str)]) -> ModuleArrows {
    let mut arrows = ModuleArrows::default();
    files.iter().for_each(|(file, source)| arrows.add(Path::new(file), source));
    arrows
}

#[test]
fn a_circle_is_found_however_long_and_wherever_its_arrows_are() {
    let found = arrows(&[
        ("lib.rs", "pub use partition::{Handle, State};\npub use clock::Clock;"),
        ("alarm.rs", "use crate::{\n    clock::{Clock, Wall},\n    State,\n};"),
        ("partition/mod.rs", "mod handle;"),
        ("partition/handle.rs", "fn read() -> crate::journal::Held {}"),
        ("journal.rs", "use crate::{alarm::Alarm};"),
        ("clock.rs", ""),
    ]);
    assert_eq!(found.circle().unwrap(), ["alarm", "partition", "journal", "alarm"]);
}

#[test]
fn what_comments_and_tests_name_and_a_module_itself_are_no_arrows() {
    let found = arrows(&[
        ("alarm.rs", "use crate::clock::Clock;"),
        (
            "clock.rs",
            "/// [`Alarm`](crate::alarm::Alarm)\nuse crate::clock::Wall;\n#[cfg(test)]\nmod tests {\n    use crate::alarm::Alarm;\n}",
        ),
    ]);
    assert_eq!(found.circle(), None);
}
