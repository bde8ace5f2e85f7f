/// Whether two texts, or two encodings, are the same only in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Line by line and byte by byte.
    Matters,
    /// The same lines, or the same bytes, in any order: what hash maps leave of a value.
    IsChance,
}

impl Order {
    pub(super) fn same_text(self, a: &str, b: &str) -> bool {
        a == b || (self == Self::IsChance && sorted(a.lines()) == sorted(b.lines()))
    }

    pub(super) fn same_bytes(self, a: &[u8], b: &[u8]) -> bool {
        a == b || (self == Self::IsChance && sorted(a.iter()) == sorted(b.iter()))
    }

    /// What to try when two texts differ: nothing, unless they hold the same lines.
    pub(super) fn advice(self, a: &str, b: &str) -> &'static str {
        if self == Self::Matters && Self::IsChance.same_text(a, b) {
            "\n    only the order differs: if a hash map or set is the reason, use a BTreeMap, or `Given::unordered`"
        } else {
            ""
        }
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items
}
