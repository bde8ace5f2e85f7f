use actum_persistence::progress::RUNNER_BYTES_MAX;
use std::sync::Arc;

/// Under which name a runner asks those of another version to rest while it takes over.
pub fn switch_name(runner: &str) -> Arc<str> {
    // what names a life is at the end
    let mut from = runner.len().saturating_sub(RUNNER_BYTES_MAX - SWITCH.len());
    while !runner.is_char_boundary(from) {
        from += 1;
    }
    format!("{}{SWITCH}", &runner[from..]).into()
}

/// Whether a runner asks for that.
pub(super) fn is_switch(name: &str) -> bool {
    name.ends_with(SWITCH)
}

/// No runner's name ends so: that ends with the number of its incarnation.
const SWITCH: &str = " (switch)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_switch_fits_and_is_that_of_a_life() {
        for long in ["n".repeat(300), "語".repeat(100)] {
            let name = switch_name(&format!("{long}@7"));
            assert!(name.len() <= RUNNER_BYTES_MAX && name.ends_with("@7 (switch)"), "{name}");
        }
        assert_eq!(&*switch_name("bank@7"), "bank@7 (switch)");
    }
}
