use std::sync::Arc;

/// How many texts are known at most: more than a batch usually has codecs and manifests, few enough to look through.
const TEXTS_MAX: usize = 16;

/// Texts that the rows of one batch have in common, so that each is copied once and not for every row.
#[derive(Debug, Default)]
pub(crate) struct SharedTexts<'a> {
    known: Vec<(&'a str, Arc<str>)>,
}

impl<'a> SharedTexts<'a> {
    /// A copy of `text`, the same for every caller.
    pub(crate) fn share(&mut self, text: &'a str) -> Arc<str> {
        if let Some((_, shared)) = self.known.iter().find(|(known, _)| *known == text) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        if self.known.len() < TEXTS_MAX {
            self.known.push((text, Arc::clone(&shared)));
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_copied_once_while_there_is_room() {
        let texts: Vec<String> = (0..TEXTS_MAX + 1).map(|nr| format!("event.{nr}")).collect();
        let mut shared = SharedTexts::default();
        let first: Vec<_> = texts.iter().map(|text| shared.share(text)).collect();
        for (nr, (text, before)) in texts.iter().zip(&first).enumerate() {
            let again = shared.share(text);
            assert_eq!(*again, **text);
            assert_eq!(Arc::ptr_eq(&again, before), nr < TEXTS_MAX, "{text}");
        }
    }
}
