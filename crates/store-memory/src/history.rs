use actum_model::{Position, SequenceNr};

/// What a lane knows of one entity: its numbers, and where its events lie in the log.
#[derive(Default)]
pub(crate) struct History {
    /// The number of its last event, deleted or not.
    pub(crate) head: SequenceNr,
    /// Its events up to this one are deleted.
    pub(crate) floor: SequenceNr,
    runs: Runs,
}

/// Stretches of events whose positions are side by side, oldest first. Most entities have few; one is kept without an
/// allocation.
enum Runs {
    One(Run),
    Many(Vec<Run>),
}

/// The first event of a stretch; it ends where the next one begins, or at the head.
#[derive(Clone, Copy)]
struct Run {
    sequence_nr: SequenceNr,
    position: Position,
}

impl History {
    /// Adds `count` events behind the head, which lie at `position` and right behind it.
    pub(crate) fn extend(&mut self, position: Position, count: u64) {
        let run = Run { sequence_nr: self.head.next(), position };
        self.head = self.head.plus(count);
        if self.runs.as_slice().last().is_some_and(|last| last.continues_in(run)) {
            return;
        }
        match &mut self.runs {
            Runs::Many(runs) if runs.is_empty() => self.runs = Runs::One(run),
            Runs::Many(runs) => runs.push(run),
            Runs::One(first) => self.runs = Runs::Many(vec![*first, run]),
        }
    }

    /// The position of event `nr`, which is behind the floor and not behind the head.
    pub(crate) fn position(&self, nr: SequenceNr) -> Position {
        debug_assert!(self.floor < nr && nr <= self.head);
        let runs = self.runs.as_slice();
        let behind = runs.partition_point(|run| run.sequence_nr <= nr);
        let run = runs[behind.checked_sub(1).expect("an event behind the floor is in a run")];
        run.at(nr)
    }

    /// The positions of the events behind `after`, in order.
    pub(crate) fn positions(&self, after: SequenceNr) -> impl Iterator<Item = Position> {
        let runs = self.runs.as_slice();
        let first = after.max(self.floor).get().saturating_add(1);
        let mut at = runs.partition_point(|run| run.sequence_nr.get() <= first).saturating_sub(1);
        (first..=self.head.get()).map(SequenceNr::new).map(move |nr| {
            if runs.get(at + 1).is_some_and(|next| next.sequence_nr <= nr) {
                at += 1;
            }
            runs[at].at(nr)
        })
    }

    /// Raises the floor to `up_to`.
    pub(crate) fn forget(&mut self, up_to: SequenceNr) {
        self.floor = up_to;
        if up_to == self.head {
            self.runs = Runs::default();
        } else if let Runs::Many(runs) = &mut self.runs {
            let behind = runs.partition_point(|run| run.sequence_nr <= up_to.next());
            runs.drain(..behind.saturating_sub(1));
            runs.shrink_to_fit();
        }
    }
}

impl Runs {
    fn as_slice(&self) -> &[Run] {
        match self {
            Self::One(run) => std::slice::from_ref(run),
            Self::Many(runs) => runs,
        }
    }
}

impl Default for Runs {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Run {
    fn at(self, nr: SequenceNr) -> Position {
        self.position.plus(nr.get() - self.sequence_nr.get())
    }

    fn continues_in(self, next: Self) -> bool {
        self.at(next.sequence_nr) == next.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random stretches and deletions, beside the plain list of positions.
    #[test]
    fn positions_are_those_of_a_plain_list() {
        let seed = std::env::var("ACTUM_TEST_SEED").map_or(7, |seed| seed.parse().unwrap());
        println!("seed {seed}");
        let mut state: u64 = seed;
        let mut choose = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % n
        };
        for _ in 0..200 {
            let (mut history, mut plain, mut position) = (History::default(), Vec::new(), 0);
            for _ in 0..choose(40) {
                let count = 1 + choose(4);
                position += 1 + choose(2); // side by side half of the time
                history.extend(Position::new(position), count);
                plain.extend((0..count).map(|i| Position::new(position + i)));
                position += count - 1;
                if choose(8) == 0 {
                    let (floor, head) = (history.floor.get(), history.head.get());
                    history.forget(SequenceNr::new(floor + choose(head - floor + 1)));
                }
                let after = choose(history.head.get() + 2);
                let behind = plain.iter().skip(after.max(history.floor.get()) as usize);
                assert!(history.positions(SequenceNr::new(after)).eq(behind.copied()));
                for nr in history.floor.get() + 1..=history.head.get() {
                    assert_eq!(history.position(SequenceNr::new(nr)), plain[nr as usize - 1]);
                }
            }
        }
    }

    #[test]
    fn an_entity_that_writes_alone_needs_no_allocation() {
        let mut history = History::default();
        for n in 0..1000 {
            history.extend(Position::new(1 + 2 * n), 2);
        }
        assert!(matches!(history.runs, Runs::One(_)));
        assert!(size_of::<History>() <= 40);
    }
}
