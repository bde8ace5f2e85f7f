use crate::{
    PostgresStore,
    commands::{self, CommandColumns, Later},
    entities::Names,
    entity_list,
    fault::store_error,
    fence::{self, TOKENS_MAX, Write},
    lane_page::LaneRead,
    ownership, resolve,
    row::{Row, column},
    session::{Session, Statement},
    state_changes,
    state_pieces::{self, StatePiece},
    tokens::Token,
    transaction::{self, Failed, Statements},
};
use actum_model::{EntityKey, Lane, Offset, Position, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, ChangeFilter, ChangePage, CommandRead, DurableStateStore, EntitySearch,
    ListedState, Listing, PageLimit, Resolution, StateBatch, StateChange, StateOutcome,
    StateRecord, StateWrite, StoreError, StoredCommand, in_order_asked, integer,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeSet;

const WRITING: &str = "writing states";

/// The function of the schema does it all in one round trip; see `schema/v3/changes.sql`.
const WRITE: &str = "SELECT _verdict, _nonce_now, _settled_now, _outcomes FROM @write_states_v3(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
    $23
)";

#[async_trait]
impl DurableStateStore for PostgresStore {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        batch.check(self.layout())?;
        if !batch.names_roles() {
            return Ok(self.write_as(batch, None).await?);
        }
        let _unchanged = self.shared.owner_changes.read().await;
        for _ in 0..TOKENS_MAX {
            let owners = ownership::look(&self.shared, WRITING, batch.incarnation).await?;
            let part = batch.owned_part(|role, partition| owners.owned.has(role, partition));
            match self.write_as(part.batch(), Some(owners.token)).await {
                Err(Failed { is_outdated: true, .. }) => {}
                written => return Ok(part.state_outcomes(written?)),
            }
        }
        Err(StoreError::unavailable(WRITING, "the partitions of this member change all the time"))
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        batch.check(self.layout())?;
        resolve::writes(&self.shared, batch).await
    }

    async fn load(&self, entities: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError> {
        let query =
            "SELECT a.nr, s.revision, s.incarnation, s.write_nr, s.timestamp, s.codec, s.manifest,
                s.schema_version, s.state, s.recent_commands, s.position,
                c.revisions, c.id_hashes, c.incarnations, c.uptimes
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (kind, id, nr)
            CROSS JOIN LATERAL (
                SELECT e.entity FROM @entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
            ) AS e
            CROSS JOIN LATERAL (SELECT * FROM @states AS s WHERE s.entity = e.entity LIMIT 1) AS s
            CROSS JOIN LATERAL (
                SELECT array_agg(n.revision ORDER BY n.revision) AS revisions,
                    array_agg(n.id_hash ORDER BY n.revision) AS id_hashes,
                    array_agg(n.incarnation ORDER BY n.revision) AS incarnations,
                    array_agg(n.uptime ORDER BY n.revision) AS uptimes
                FROM (
                    SELECT * FROM @state_commands AS k WHERE k.entity = e.entity
                    ORDER BY k.revision DESC LIMIT $3
                ) AS n
            ) AS c";
        let names = Names::of(entities.iter());
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query)).bind(&names.kinds);
            query.bind(&names.ids).bind(COMMANDS_READ_MAX as i64)
        };
        let doing = "loading states";
        let rows = self.shared.connections.read(doing, statement).await?;
        let record = |row: &Row| StateRecord::of_row(row, commands::of_arrays(row, 11)?);
        let records = in_order_asked(&rows, entities.len(), record);
        records.map_err(|error| store_error(doing, error))
    }

    async fn list_states(&self, search: &EntitySearch) -> Result<Listing<ListedState>, StoreError> {
        search.check()?;
        entity_list::states(&self.shared, search).await
    }

    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError> {
        // the first entities only: where none has a state, all would be looked at
        let query = "SELECT EXISTS (
            SELECT FROM (
                SELECT n.entity FROM @entities AS n WHERE n.kind = $1 ORDER BY n.kind, n.id LIMIT $2
            ) AS n
            CROSS JOIN LATERAL (SELECT s.entity FROM @states AS s WHERE s.entity = n.entity LIMIT 1) AS s)";
        self.exists("looking for states of a kind", query, kind).await
    }

    async fn command_records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        self.records(reads).await
    }

    async fn commands_before(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        let reads = reads.iter().map(|read| (&read.entity, read.revision));
        self.newest_commands("reading commands", reads).await
    }

    async fn read_changes(
        &self,
        lane: Lane,
        after: Position,
        filter: &ChangeFilter,
        limit: PageLimit,
    ) -> Result<ChangePage, StoreError> {
        self.layout().check_lane(lane)?;
        filter.check()?;
        state_changes::read(&self.shared, LaneRead { lane, after, filter, limit }).await
    }

    async fn change_heads(&self) -> Result<Offset, StoreError> {
        state_changes::heads(&self.shared, self.layout()).await
    }

    async fn close(&self) {
        PostgresStore::close(self).await;
    }
}

impl PostgresStore {
    /// Writes what does not conflict of a batch whose writer shows a token, if it must be that one.
    async fn write_as(
        &self,
        batch: &StateBatch,
        token: Option<Token>,
    ) -> Result<Vec<StateOutcome>, Failed> {
        let mut session = self.shared.connections.acquire(WRITING).await?;
        let pieces = state_pieces::of_writes(&batch.writes);
        let lanes = self.change_lanes(&batch.writes);
        let write = Write { doing: WRITING, incarnation: batch.incarnation, query: WRITE, token };
        if let [all] = &pieces[..]
            && all.is_whole()
        {
            return self.write_piece(&mut session, write, all, &lanes).await;
        }
        let connector = self.shared.connector();
        let writing = Writing { store: self, write, pieces: &pieces, lanes: &lanes };
        transaction::run(&mut session, connector, WRITING, writing).await
    }

    /// Writes what one statement takes.
    async fn write_piece(
        &self,
        session: &mut Session,
        write: Write,
        piece: &StatePiece<'_>,
        change_lanes: &[i32],
    ) -> Result<Vec<StateOutcome>, Failed> {
        let columns = StateColumns::of(piece);
        let bind = |query| columns.bind(query).bind(change_lanes);
        let row = fence::write(&self.shared, session, write, bind).await?;
        Ok(outcomes(&row, piece.writes)?)
    }

    /// The lanes of these writes, in order.
    fn change_lanes(&self, writes: &[StateWrite]) -> Vec<i32> {
        let lanes = self.layout().lanes;
        let lane_of = |write: &StateWrite| Lane::of_partition(write.partition, lanes).nr().into();
        let lanes: BTreeSet<i32> = writes.iter().map(lane_of).collect();
        lanes.into_iter().collect()
    }
}

/// States that several statements write.
struct Writing<'a> {
    store: &'a PostgresStore,
    write: Write,
    pieces: &'a [StatePiece<'a>],
    /// Of all of them: all are locked in front of the first, so that two such transactions lock in one order.
    lanes: &'a [i32],
}

impl Statements for Writing<'_> {
    type Done = Vec<StateOutcome>;

    async fn run(&mut self, session: &mut Session) -> Result<Vec<StateOutcome>, Failed> {
        let mut outcomes = Vec::new();
        for piece in self.pieces {
            let written = self.store.write_piece(session, self.write, piece, self.lanes).await?;
            if let ([StateOutcome::Written], [write]) = (&written[..], piece.writes) {
                for commands in piece.later_commands() {
                    let more = Later { write, incarnation: self.write.incarnation, commands };
                    self.store.add_commands(session, WRITING, &more).await?;
                }
            }
            outcomes.extend(written);
        }
        Ok(outcomes)
    }
}

/// A batch as arrays, a column each.
#[derive(Default)]
struct StateColumns<'a> {
    names: Names<'a>,
    partitions: Vec<i32>,
    expected: Vec<i64>,
    revisions: Vec<i64>,
    write_nrs: Vec<i64>,
    timestamps: Vec<i64>,
    codecs: Vec<Option<&'a str>>,
    manifests: Vec<Option<&'a str>>,
    schema_versions: Vec<Option<i64>>,
    states: Vec<Option<&'a [u8]>>,
    commands: CommandColumns<'a>,
}

impl<'a> StateColumns<'a> {
    fn of(piece: &StatePiece<'a>) -> Self {
        let names = Names::of(piece.writes.iter().map(|write| &write.entity));
        let commands = CommandColumns::of(piece);
        let mut columns = Self { names, commands, ..Self::default() };
        piece.writes.iter().for_each(|write| columns.add(write));
        columns
    }

    fn add(&mut self, write: &'a StateWrite) {
        let state = match &write.change {
            StateChange::Put(state) => Some(state),
            StateChange::Delete => None,
        };
        self.partitions.push(write.partition.nr().into());
        self.expected.push(integer::bound(write.expected.get()));
        self.revisions.push(integer::bound(write.revision.get()));
        self.write_nrs.push(write.write_nr.cast_signed());
        self.timestamps.push(write.timestamp.as_micros());
        self.codecs.push(state.map(|state| &*state.codec));
        self.manifests.push(state.map(|state| &*state.manifest));
        self.schema_versions.push(state.map(|state| state.schema_version.into()));
        self.states.push(state.map(|state| &*state.bytes));
    }

    fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        let query = query
            .bind(&self.names.kinds)
            .bind(&self.names.ids)
            .bind(&self.partitions)
            .bind(&self.expected)
            .bind(&self.revisions)
            .bind(&self.write_nrs)
            .bind(&self.timestamps)
            .bind(&self.codecs)
            .bind(&self.manifests)
            .bind(&self.schema_versions)
            .bind(&self.states);
        self.commands.bind(query)
    }
}

fn outcomes(row: &Row, writes: &[StateWrite]) -> Result<Vec<StateOutcome>, StoreError> {
    let outcomes: Vec<i64> = column(row, 3).map_err(|error| fence::unreadable(WRITING, error))?;
    if outcomes.len() != writes.len() {
        return Err(StoreError::outcome_unknown(WRITING, "an answer lacks outcomes"));
    }
    let outcome = |outcome: i64| match u64::try_from(outcome) {
        Ok(actual) => StateOutcome::Conflict { actual: Revision::new(actual) },
        Err(_) if outcome == -1 => StateOutcome::Written,
        // a damaged revision: nothing was written over it, and the next load calls it corrupt
        Err(_) => StateOutcome::Conflict { actual: Revision::ZERO },
    };
    Ok(outcomes.into_iter().map(outcome).collect())
}
