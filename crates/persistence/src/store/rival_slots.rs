use super::WriterClaim;
use std::ops::Range;

/// The writer slot of an engine that has the journal for itself: no node of a cluster holds its slot at the same time.
pub const JOURNAL_SLOT: &str = "journal";

/// What the slots of nodes begin with, and what comes behind all of them.
const NODES: Range<&str> = "node/".."node0";
/// No other name: the least that comes behind this one would have NUL.
const JOURNAL: Range<&str> = JOURNAL_SLOT.."journal\u{1}";

impl WriterClaim {
    /// The slots that no one may hold beside this one, by the order of their bytes: those of nodes beside
    /// [`JOURNAL_SLOT`], that beside one of a node, and none beside another.
    #[must_use]
    pub fn rival_slots(&self) -> Range<&'static str> {
        match &*self.slot {
            JOURNAL_SLOT => NODES,
            slot if NODES.contains(&slot) => JOURNAL,
            _ => "".."",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::members::node_slot;
    use std::time::Duration;

    #[test]
    fn an_engine_alone_and_nodes_exclude_each_other() {
        let nodes = ["", "a", "\u{1}", "z", "\u{10ffff}", "journal"].map(node_slot);
        let others = [
            "Journal",
            "journal\u{1}",
            "journals",
            "journa",
            "node",
            "node.",
            "node0",
            "nodes",
            "a",
        ];
        let others = others.map(str::to_owned);
        let all: Vec<&String> = nodes.iter().chain(&others).collect();
        let rivals = |slot: &str| -> Vec<&str> {
            let (slot, holder) = (slot.to_owned(), String::new());
            let claim = WriterClaim { slot, holder, lease: Duration::ZERO, replaces: None };
            let range = claim.rival_slots();
            let all = all.iter().map(|slot| slot.as_str()).chain([JOURNAL_SLOT]);
            all.filter(|slot| range.contains(slot)).collect()
        };
        assert_eq!(rivals(JOURNAL_SLOT), nodes.each_ref().map(String::as_str));
        for node in &nodes {
            assert_eq!(rivals(node), [JOURNAL_SLOT], "{node:?}");
        }
        for other in &others {
            assert!(rivals(other).is_empty(), "{other:?}");
        }
    }
}
