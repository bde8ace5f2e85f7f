//! Errors with everything that caused them, in one line: `what failed: why: why that`.
//!
//! The one place that prints chains of errors. A cause that its error repeats at its end, as errors of many libraries
//! do, is printed once.

use std::{
    error::Error,
    fmt::{self, Write},
};

/// An error with everything that caused it, for places where only text is kept, such as logs.
#[must_use]
pub fn full_text(error: &dyn Error) -> String {
    let own = one_line(&error.to_string());
    let mut text = own.clone();
    for cause in Causes::of(error, own) {
        text.push_str(": ");
        text.push_str(&cause);
    }
    text
}

/// Writes what caused `error` behind its own message when that is printed with `{:#}`. The last thing the `Display` of
/// an error does.
///
/// # Errors
/// That of the formatter.
pub fn fmt_causes(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !f.alternate() {
        return Ok(());
    }
    let mut own = String::new();
    write!(own, "{error}")?;
    Causes::of(error, one_line(&own)).try_for_each(|cause| write!(f, ": {cause}"))
}

/// The messages below an error, without those that the one above ends with.
struct Causes<'a> {
    next: Option<&'a (dyn Error + 'static)>,
    above: String,
}

impl<'a> Causes<'a> {
    fn of(error: &'a dyn Error, own: String) -> Self {
        Self { next: error.source(), above: own }
    }
}

impl Iterator for Causes<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        while let Some(error) = self.next {
            self.next = error.source();
            let text = one_line(&error.to_string());
            if !self.above.ends_with(&text) {
                self.above.clone_from(&text);
                return Some(text);
            }
        }
        None
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{fmt_causes, full_text};
    use std::{error::Error, fmt};

    #[derive(Debug)]
    struct Link(&'static str, Option<Box<Link>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)?;
            fmt_causes(self, f)
        }
    }

    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|link| link as _)
        }
    }

    fn links(texts: &[&'static str]) -> Link {
        let (first, rest) = texts.split_first().expect("a chain has a first link");
        Link(first, (!rest.is_empty()).then(|| Box::new(links(rest))))
    }

    #[test]
    fn chains_are_printed_in_one_line_and_nothing_twice() {
        for (texts, expected) in [
            (&["the store failed"][..], "the store failed"),
            (&["no commit", "no write", "disk full"], "no commit: no write: disk full"),
            (&["i/o failed: disk full", "disk full"], "i/o failed: disk full"),
            (&["disk full", "disk full", "code 13"], "disk full: code 13"),
            (&["no commit", "ERROR\n  LINE 1\n", "code"], "no commit: ERROR LINE 1: code"),
        ] {
            let error = links(texts);
            assert_eq!(full_text(&error), expected);
            assert_eq!(format!("{error:#}"), expected);
            assert_eq!(error.to_string(), texts[0], "what is not asked for");
        }
    }
}
