use crate::failure::full_text;
use actum_model::{DecodeError, Payload};

/// Why a stored payload cannot be read as a `T`, with what to do about it where the type may be the reason.
pub(super) fn undecodable<T: Payload>(error: &DecodeError) -> String {
    let text = full_text(error);
    match error {
        // in a former version it is `upcast` that failed, which says what it expected
        DecodeError::Damaged { version, .. } if *version == T::SCHEMA_VERSION => format!(
            "{text}; if the format of `{}` has changed, raise its `SCHEMA_VERSION` and write `upcast` for version {version}",
            T::MANIFEST
        ),
        _ => text,
    }
}
