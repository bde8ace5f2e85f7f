//! State writes, divided into what goes with one statement: see [`pieces`](crate::pieces).

use crate::pieces::{Room, runs};
use actum_persistence::store::{CommandRecord, StateChange, StateWrite};

/// State writes that go with one statement.
pub(crate) struct StatePiece<'a> {
    pub(crate) writes: &'a [StateWrite],
    /// How many commands of each go along: all, unless it is a single write with more than fit.
    commands_max: usize,
}

impl<'a> StatePiece<'a> {
    fn of(writes: &'a [StateWrite]) -> Self {
        let commands_max = if let [write] = writes { fitting(write) } else { usize::MAX };
        Self { writes, commands_max }
    }

    /// Whether all commands go along.
    pub(crate) fn is_whole(&self) -> bool {
        self.writes.iter().all(|write| write.commands.len() <= self.commands_max)
    }

    /// The commands of one of its writes that go along.
    pub(crate) fn commands_of(&self, write: &'a StateWrite) -> &'a [CommandRecord] {
        &write.commands[..write.commands.len().min(self.commands_max)]
    }

    /// The commands that do not, each with one statement more. What the write makes needless is left out.
    pub(crate) fn later_commands(&self) -> impl Iterator<Item = &'a [CommandRecord]> + use<'a> {
        let later = self.writes.first().and_then(|write| {
            let later = write.commands.get(self.commands_max..)?;
            let needless = later.partition_point(|command| command.revision <= write.forget_to);
            Some(&later[needless..])
        });
        runs(later.unwrap_or_default(), |command| (1, command.record.len()))
    }
}

/// How many commands of a write that goes alone fit beside its state.
fn fitting(write: &StateWrite) -> usize {
    let state = match &write.change {
        StateChange::Put(state) => state.bytes.len(),
        StateChange::Delete => 0,
    };
    let mut room = Room::new();
    room.take(1, state);
    write.commands.iter().take_while(|command| room.take(1, command.record.len())).count()
}

/// Divides state writes in their order. Of no writes there is one piece too, which asks whether the writer may write.
pub(crate) fn of_writes(writes: &[StateWrite]) -> Vec<StatePiece<'_>> {
    let runs = runs(writes, |write| (1 + write.commands.len(), write.bytes()));
    let mut pieces: Vec<_> = runs.map(StatePiece::of).collect();
    if pieces.is_empty() {
        pieces.push(StatePiece::of(writes));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::{BYTES_MAX, ROWS_MAX};
    use actum_model::{EntityKey, Partition, Revision, StoredPayload, Timestamp};
    use bytes::Bytes;

    /// A write whose state has as many bytes as are said, as many commands, and that makes some of them needless.
    fn write(state: usize, commands: usize, forget_to: u64) -> StateWrite {
        let key = EntityKey::new("account", "1").unwrap();
        let command = |revision| CommandRecord {
            revision: Revision::new(revision),
            id_hash: 0,
            uptime_seconds: 0,
            record: Bytes::from_static(b"record"),
        };
        StateWrite {
            entity: key,
            partition: Partition::new(0),
            owned_as: None,
            expected: Revision::ZERO,
            revision: Revision::new(1_000_000),
            write_nr: 0,
            timestamp: Timestamp::default(),
            change: StateChange::Put(StoredPayload {
                codec: "utf8".into(),
                manifest: "state".into(),
                schema_version: 1,
                bytes: Bytes::from(vec![0; state]),
            }),
            commands: (1..=commands as u64).map(command).collect(),
            forget_to: Revision::new(forget_to),
        }
    }

    /// For each piece how many writes it has, how many commands go along, and how many with each statement more.
    fn state_pieces(writes: &[StateWrite]) -> Vec<(usize, usize, Vec<usize>)> {
        let sizes = |piece: StatePiece<'_>| {
            let commands = piece.writes.iter().map(|write| piece.commands_of(write).len()).sum();
            let later: Vec<_> = piece.later_commands().map(<[_]>::len).collect();
            assert!(piece.is_whole() || piece.writes.len() == 1);
            assert!(later.is_empty() || !piece.is_whole());
            (piece.writes.len(), commands, later)
        };
        of_writes(writes).into_iter().map(sizes).collect()
    }

    #[test]
    fn state_writes_are_divided_by_their_rows_commands_included() {
        assert_eq!(state_pieces(&[]), [(0, 0, vec![])]);
        let half = ROWS_MAX / 2;
        let small = [write(9, half - 1, 0), write(9, half - 1, 0), write(9, 0, 0)];
        assert_eq!(state_pieces(&small), [(2, 2 * half - 2, vec![]), (1, 0, vec![])]);
        let large = [write(9, 1, 0), write(9, 3 * ROWS_MAX, 0), write(9, 1, 0)];
        let alone = (1, ROWS_MAX - 1, vec![ROWS_MAX, ROWS_MAX, 1]);
        assert_eq!(state_pieces(&large), [(1, 1, vec![]), alone, (1, 1, vec![])]);
        let exactly = [write(9, ROWS_MAX - 1, 0)];
        assert_eq!(state_pieces(&exactly), [(1, ROWS_MAX - 1, vec![])]);
    }

    #[test]
    fn no_command_goes_beside_a_state_that_fills_a_statement() {
        let writes = [write(BYTES_MAX + 1, 3, 0), write(9, 1, 0)];
        assert_eq!(state_pieces(&writes), [(1, 0, vec![3]), (1, 1, vec![])]);
    }

    #[test]
    fn commands_that_are_needless_already_are_not_sent_behind_their_write() {
        let forgets = |up_to| [write(9, ROWS_MAX + 9, up_to)];
        assert_eq!(state_pieces(&forgets(5)), [(1, ROWS_MAX - 1, vec![10])]);
        let up_to = ROWS_MAX as u64 + 2;
        assert_eq!(state_pieces(&forgets(up_to)), [(1, ROWS_MAX - 1, vec![7])]);
        assert_eq!(state_pieces(&forgets(up_to + 7)), [(1, ROWS_MAX - 1, vec![])]);
    }
}
