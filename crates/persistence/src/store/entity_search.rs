use super::{StoreError, bounds::LISTED_MAX, payload_check::check_name};
use actum_model::{ID_BYTES_MAX, KIND_BYTES_MAX};
use std::num::NonZeroU32;

/// Asks for entities of a kind in the order of their ids, compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitySearch {
    /// Their kind.
    pub kind: String,
    /// What their ids begin with; empty for all.
    pub id_prefix: String,
    /// The id of the last one that the reader has; empty before the first.
    pub after: String,
    /// How many to look at, at most [`LISTED_MAX`].
    pub limit: NonZeroU32,
}

impl EntitySearch {
    /// Checks what every store must refuse, before it reads anything.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the kind, the prefix or the id could not be stored, or the limit is too large.
    pub fn check(&self) -> Result<(), StoreError> {
        check_name("a kind of entity", &self.kind, KIND_BYTES_MAX).map_err(StoreError::invalid)?;
        let texts = [("the beginning of an id", &self.id_prefix), ("an id", &self.after)];
        for (what, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            check_name(what, text, ID_BYTES_MAX).map_err(StoreError::invalid)?;
        }
        let limit = self.limit.get();
        if limit > LISTED_MAX {
            return Err(StoreError::invalid(format!(
                "a page of entities has at most {LISTED_MAX}, {limit} were asked for"
            )));
        }
        Ok(())
    }

    /// Whether `id` begins with the prefix and lies behind what the reader has.
    #[must_use]
    pub fn wants(&self, id: &str) -> bool {
        id > self.after.as_str() && id.starts_with(&self.id_prefix)
    }

    /// A text behind all ids that begin with the prefix, and in front of all other ids behind those, in the order of bytes:
    /// so what is looked at is a range of an index.
    #[must_use]
    pub fn id_end(&self) -> String {
        let mut end = self.id_prefix.clone();
        // the last character that has one behind it is replaced by that
        while let Some(last) = end.pop() {
            if let Some(next) = next_char(last) {
                end.push(next);
                return end;
            }
        }
        // longer than an id, of the last character there is
        char::MAX.to_string().repeat(ID_BYTES_MAX / char::MAX.len_utf8() + 1)
    }
}

/// The character behind `c`; between those of UTF-8 and their bytes the order is the same.
fn next_char(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(id_prefix: &str) -> EntitySearch {
        EntitySearch {
            kind: "account".to_owned(),
            id_prefix: id_prefix.to_owned(),
            after: String::new(),
            limit: NonZeroU32::MIN,
        }
    }

    #[test]
    fn the_end_of_a_prefix_lies_behind_all_that_begin_with_it() {
        let end = |text: &str| prefix(text).id_end();
        assert_eq!(end("acc-"), "acc.");
        assert_eq!(end("\u{7f}"), "\u{80}");
        assert_eq!(end("a\u{d7ff}"), "a\u{e000}", "surrogates are no characters");
        assert_eq!(end("a\u{10ffff}\u{10ffff}"), "b");
        for text in ["", "acc-", "é", "\u{d7ff}", "a\u{10ffff}", "\u{10ffff}"] {
            let mut last = text.to_owned();
            while last.len() + 4 <= ID_BYTES_MAX {
                last.push(char::MAX);
            }
            assert!(end(text) > last, "{text}");
        }
    }

    #[test]
    fn what_no_id_can_be_is_refused() {
        prefix("acc-").check().expect("it may be asked for");
        let too_many = NonZeroU32::new(LISTED_MAX + 1).expect("it is not 0");
        let refused = [
            EntitySearch { kind: String::new(), ..prefix("a") },
            prefix("a\0"),
            prefix(&"a".repeat(ID_BYTES_MAX + 1)),
            EntitySearch { after: "\0".to_owned(), ..prefix("a") },
            EntitySearch { limit: too_many, ..prefix("a") },
        ];
        for search in refused {
            let error = search.check().expect_err("it is refused");
            assert!(matches!(error, StoreError::Invalid { .. }), "{search:?}: {error}");
        }
    }
}
