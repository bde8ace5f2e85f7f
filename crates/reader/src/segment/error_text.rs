use actum_persistence::{error_chain::full_text, progress::ERROR_BYTES_MAX};
use std::{error::Error, sync::Arc};

/// The text that is kept of an error: with everything that caused it, cut where it is too long.
pub fn error_text(error: &(dyn Error + 'static)) -> Arc<str> {
    cut(&full_text(error)).into()
}

/// As much of a text as is kept.
pub fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(ERROR_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "ä".repeat(ERROR_BYTES_MAX);
        assert_eq!(cut(&text).len(), ERROR_BYTES_MAX);
        assert_eq!(cut(&format!("x{text}")).len(), ERROR_BYTES_MAX - 1);
        assert_eq!(cut("short"), "short");
    }
}
