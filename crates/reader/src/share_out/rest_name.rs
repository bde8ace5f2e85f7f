use actum_persistence::progress::RUNNER_BYTES_MAX;
use std::sync::Arc;

/// Under which name a runner asks those of another version to rest while it takes over.
pub fn switch_name(runner: &str) -> Arc<str> {
    rest_name(runner, SWITCH)
}

/// Under which name a runner asks all of them to rest while it divides the projection.
pub fn division_name(runner: &str) -> Arc<str> {
    rest_name(runner, DIVISION)
}

/// The runner that divides the projection under this name; none if it is another name.
pub(super) fn divider(name: &str) -> Option<&str> {
    name.strip_suffix(DIVISION)
}

/// Whether a runner asks the others to rest.
pub(super) fn asks_for_rest(name: &str) -> bool {
    name.ends_with(SWITCH) || name.ends_with(DIVISION)
}

/// The runner that asks under this name, or whose name it is.
pub fn runner_of(name: &str) -> &str {
    name.strip_suffix(SWITCH).or_else(|| divider(name)).unwrap_or(name)
}

/// No runner's name ends so: that ends with the number of its incarnation.
const SWITCH: &str = " (switch)";
const DIVISION: &str = " (divide)";

fn rest_name(runner: &str, why: &str) -> Arc<str> {
    // what names a life is at the end
    let mut from = runner.len().saturating_sub(RUNNER_BYTES_MAX - why.len());
    while !runner.is_char_boundary(from) {
        from += 1;
    }
    format!("{}{why}", &runner[from..]).into()
}

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

    #[test]
    fn who_asks_the_others_to_rest_says_why() {
        let (switch, division) = (switch_name("bank@7"), division_name("bank@7"));
        assert_ne!(switch, division);
        assert!(asks_for_rest(&switch) && asks_for_rest(&division) && !asks_for_rest("bank@7"));
        let dividers = [&*division, &*switch, "bank@7"].map(divider);
        assert_eq!(dividers, [Some("bank@7"), None, None]);
        assert_eq!([&*division, &*switch, "bank@7"].map(runner_of), ["bank@7"; 3]);
    }
}
