use actum_model::CodecError;
use std::fmt;

/// What a deserializer says of a value it does not take, without the value: errors are logged, and payloads must not be.
pub(super) fn without_value(said: &str) -> String {
    for named in ["missing field `", "duplicate field `"] {
        // the name is one of the type's own
        if let Some((name, _)) = said.strip_prefix(named).and_then(|rest| rest.split_once('`')) {
            return format!("{named}{name}`");
        }
    }
    let wrong =
        ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];
    let Some(wrong) = wrong.into_iter().find(|wrong| said.starts_with(wrong)) else {
        return "the type refuses the value".to_owned();
    };
    match said.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{wrong}, expected {expected}"),
        None => wrong.to_owned(),
    }
}

/// An error that says where in the bytes the value is that the type does not take.
pub(super) fn refused(said: &str, place: impl fmt::Display) -> CodecError {
    CodecError::new(format!("{} {place}", without_value(said)))
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn names_of_the_type_are_shown_and_values_are_not() {
        let cases = [
            ("missing field `owner`", "missing field `owner`"),
            ("duplicate field `owner` at line 1", "duplicate field `owner`"),
            ("invalid type: string \"secret\", expected u64", "invalid type, expected u64"),
            ("invalid value: integer `-5`, expected u64", "invalid value, expected u64"),
            ("unknown variant `se, expected cret`, expected `A`", "unknown variant, expected `A`"),
            ("unknown field `secret`, there are no fields", "unknown field"),
            ("secret is too short", "the type refuses the value"),
        ];
        for (said, expected) in cases {
            assert_eq!(without_value(said), expected);
        }
    }
}
