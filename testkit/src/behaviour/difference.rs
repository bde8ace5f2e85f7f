use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};
use std::io::IsTerminal;

/// Lines that did not change are shown up to this far around those that did.
const CONTEXT_LINES: usize = 3;

/// The lines of two texts: `-` for what only the first has, `+` for what only the second has.
pub(crate) fn difference(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    render(&old, &new, std::io::stderr().is_terminal())
}

/// As [`difference`], of two lists of lines.
pub(super) fn line_difference(old: &[String], new: &[String]) -> String {
    render(old, new, std::io::stderr().is_terminal())
}

fn render<T: AsRef<str> + std::hash::Hash + Ord>(old: &[T], new: &[T], colours: bool) -> String {
    let operations = capture_diff_slices(Algorithm::Myers, old, new);
    let groups = group_diff_ops(operations, CONTEXT_LINES);
    let mut out = String::new();
    let mut shown_to = 0;
    for group in &groups {
        if group.first().is_some_and(|first| first.old_range().start > shown_to) {
            out.push_str("\n      …");
        }
        group.iter().for_each(|operation| render_one(operation, old, new, colours, &mut out));
        shown_to = group.last().map_or(shown_to, |last| last.old_range().end);
    }
    if shown_to < old.len() {
        out.push_str("\n      …");
    }
    out
}

fn render_one<T: AsRef<str>>(
    operation: &DiffOp,
    old: &[T],
    new: &[T],
    colours: bool,
    out: &mut String,
) {
    let old: Vec<&str> = old.iter().map(AsRef::as_ref).collect();
    let new: Vec<&str> = new.iter().map(AsRef::as_ref).collect();
    for change in operation.iter_changes(&old[..], &new[..]) {
        let (sign, colour) = match change.tag() {
            ChangeTag::Equal => (' ', None),
            ChangeTag::Delete => ('-', Some("\x1b[31m")),
            ChangeTag::Insert => ('+', Some("\x1b[32m")),
        };
        let line = format!("{sign} {}", change.value());
        out.push_str("\n    ");
        match colour.filter(|_| colours) {
            Some(colour) => out.extend([colour, line.as_str(), "\x1b[0m"]),
            None => out.push_str(line.trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn changed_lines_are_marked_and_others_are_not() {
        assert_eq!(
            render(&["a", "b", "c"], &["a", "x", "c"], false),
            "\n      a\n    - b\n    + x\n      c"
        );
    }

    #[test]
    fn colours_are_only_for_terminals() {
        assert_eq!(
            render(&["a"], &["b"], true),
            "\n    \x1b[31m- a\x1b[0m\n    \x1b[32m+ b\x1b[0m"
        );
        assert_eq!(render(&["a"], &["b"], false), "\n    - a\n    + b");
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let old: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let mut new = old.clone();
        new[15] = "x".into();
        let shown = render(&old, &new, false);
        assert!(
            shown.starts_with("\n      …\n      12\n") && shown.ends_with("18\n      …"),
            "{shown}"
        );
    }

    #[test]
    fn lists_of_any_length_are_compared() {
        assert_eq!(render::<&str>(&[], &["a"], false), "\n    + a");
        assert_eq!(render::<&str>(&["a"], &[], false), "\n    - a");
    }
}
