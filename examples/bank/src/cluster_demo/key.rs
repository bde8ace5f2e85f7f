use std::str::FromStr;

/// What is to be done with the banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Kill one: it gives nothing back.
    Kill(usize),
    /// Ask one to end: it hands off what it owns.
    Stop(usize),
    /// Stop the process of one, as a long pause would.
    Freeze(usize),
    /// Let it go on.
    Thaw(usize),
    /// Start another one, or this one again.
    Add(Option<usize>),
    Quit,
}

/// What can be entered.
pub(super) const KEYS: &str = "k2 kills n2, s2 stops it gracefully, f2 freezes it, t2 thaws it, a starts one more, a2 starts n2 again, q ends";

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unknown = || format!("`{text}` is not a key: {KEYS}");
        let mut letters = text.chars();
        let letter = letters.next().ok_or_else(|| KEYS.to_owned())?;
        let rest = letters.as_str().trim();
        let nr = if rest.is_empty() {
            None
        } else {
            Some(rest.parse::<usize>().ok().filter(|nr| *nr > 0).ok_or_else(unknown)?)
        };
        match (letter, nr) {
            ('k', Some(nr)) => Ok(Self::Kill(nr)),
            ('s', Some(nr)) => Ok(Self::Stop(nr)),
            ('f', Some(nr)) => Ok(Self::Freeze(nr)),
            ('t', Some(nr)) => Ok(Self::Thaw(nr)),
            ('a', nr) => Ok(Self::Add(nr)),
            ('q', None) => Ok(Self::Quit),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_a_node() {
        for (text, key) in [
            ("k2", Key::Kill(2)),
            (" s 1 ", Key::Stop(1)),
            ("f10", Key::Freeze(10)),
            ("t3", Key::Thaw(3)),
            ("a", Key::Add(None)),
            ("a2", Key::Add(Some(2))),
            ("q", Key::Quit),
        ] {
            assert_eq!(text.parse(), Ok(key));
        }
        for text in ["", "k", "k0", "kx", "q1", "x1"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}
