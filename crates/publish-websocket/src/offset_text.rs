use actum::{Offset, Position};

/// The most lanes that a text may name.
const LANES_MAX: usize = 1 << 16;

/// An offset as clients keep it: the positions of the lanes with dashes between them.
pub(crate) fn text_of(offset: &Offset) -> String {
    let positions: Vec<_> = offset.positions().iter().map(ToString::to_string).collect();
    positions.join("-")
}

/// The offset that is written like this.
pub(crate) fn offset_of(text: &str) -> Option<Offset> {
    let numbers = text.split('-').take(LANES_MAX);
    let positions: Result<Vec<_>, _> =
        numbers.map(|number| number.parse().map(Position::new)).collect();
    positions.ok().map(Offset::of_positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_back_and_nothing_else_is_read() {
        for positions in [vec![0], vec![17], vec![1, 0, u64::MAX]] {
            let offset =
                Offset::of_positions(positions.into_iter().map(Position::new).collect::<Vec<_>>());
            assert_eq!(offset_of(&text_of(&offset)), Some(offset));
        }
        for text in ["", "a", "1-", "-1", "1--2", "1.5", "18446744073709551616"] {
            assert_eq!(offset_of(text), None, "{text}");
        }
    }
}
