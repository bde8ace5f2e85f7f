use crate::{
    append_after::{DOING, Following},
    event_columns::EventColumns,
    fault::Fault,
    fence::{self, TOKENS_MAX, Write},
    known_heads::{KnownHeads, LaneHead},
    ownership,
    pieces::{self, Piece, Pieces},
    row::{Row, column},
    session::{Session, Statement},
    store::Shared,
    tokens::Token,
    transaction::{self, Failed, Statements},
};
use actum_model::{Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EntityHead, StoreError, StoredRow, integer,
};
use std::{collections::HashMap, sync::atomic::Ordering};

/// The function of the schema does it all in one round trip; see `schema/v1/append.sql`.
const APPEND: &str = "SELECT _verdict, _nonce_now, _settled_now, _head_before, _incarnation_before, _event_nr_before,
        _keys, _guilty, _actual
    FROM @append_v1(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25
    )";

/// A batch as arrays, a column each. What an array says of an append is at the append's place in the batch.
#[derive(Default)]
struct AppendColumns<'a> {
    entities: Vec<i64>,
    expected: Vec<i64>,
    /// The appends whose heads are to be looked at, counted from 1.
    checked: Vec<i32>,
    /// Those among them whose entities this store does not know, and what these are called.
    new: Vec<i32>,
    kinds: Vec<&'a str>,
    ids: Vec<&'a str>,
    partitions: Vec<i32>,
    /// The append that each event belongs to, counted from 1.
    of: Vec<i32>,
    events: EventColumns<'a>,
}

/// The verdict on an append of a store that knows another history of the lane; nothing was done.
const UNKNOWN_HISTORY: i32 = 3;

/// What the server has done with a batch.
struct Answer {
    /// Whether what the store knows of the lane is its history; otherwise nothing but the head is returned.
    is_known: bool,
    head_before: Position,
    /// The event there, if it was not deleted.
    event_before: Option<LaneHead>,
    /// The keys of the entities that were new, in their order.
    keys: Vec<i64>,
    /// The appends that were refused, counted from 1, and where their entities are.
    conflicting: HashMap<i32, SequenceNr>,
}

/// How often a batch is sent again: once because the history is another than was known, once because a number was
/// taken.
const SENT_AGAIN_MAX: usize = 2;

/// Stores what belongs to its writer and does not conflict of a batch that was checked.
pub(crate) async fn append(
    shared: &Shared,
    (session, known): (&mut Session, &mut KnownHeads),
    batch: &AppendBatch,
) -> Result<Vec<AppendOutcome>, StoreError> {
    if !batch.names_roles() {
        return Ok(append_as(shared, (session, known), (batch, None)).await?);
    }
    let _unchanged = shared.owner_changes.read().await;
    for _ in 0..TOKENS_MAX {
        let owners = ownership::look(shared, DOING, batch.incarnation).await?;
        let part = batch.owned_part(|role, partition| owners.owned.has(role, partition));
        let sent = (part.batch(), Some(owners.token));
        match append_as(shared, (session, known), sent).await {
            Err(Failed { is_outdated: true, .. }) => {}
            stored => return Ok(part.append_outcomes(stored?)),
        }
    }
    Err(StoreError::unavailable(DOING, "the partitions of this member change all the time"))
}

/// Stores what does not conflict of a batch whose writer shows a token, if it must be that one.
///
/// The server looks at the heads of entities that this store does not know. So a conflict costs its own entity only,
/// and a number that is too high is found as well as one that is too low. Where the store knows a head it inserts
/// optimistically: while no one else writes to the lane what it knows is true, and otherwise the number is taken, and
/// the batch goes again with all heads looked at. Where it knows all heads and no one else has written, nothing is
/// looked up at all.
async fn append_as(
    shared: &Shared,
    (session, known): (&mut Session, &mut KnownHeads),
    (batch, token): (&AppendBatch, Option<Token>),
) -> Result<Vec<AppendOutcome>, Failed> {
    let mut trusting = true;
    match append_after(shared, (session, known), (batch, token)).await {
        Ok(Some(outcomes)) => return Ok(outcomes),
        Ok(None) => {}
        Err(Failed { fault: Fault::Taken, .. }) => trusting = false,
        Err(failed) => return Err(failed),
    }
    for again in 0..=SENT_AGAIN_MAX {
        let how = (token, trusting);
        let sent = if pieces::is_one(batch) {
            append_piece(shared, (session, known), batch, how).await
        } else {
            append_pieces(shared, (session, known), batch, how).await
        };
        match sent {
            Ok(Some(outcomes)) => return Ok(outcomes),
            Ok(None) => {}
            Err(Failed { fault: Fault::Taken, .. }) if again < SENT_AGAIN_MAX => trusting = false,
            Err(failed) => return Err(failed),
        }
    }
    Err(StoreError::unavailable(DOING, "the end of the lane changes all the time").into())
}

/// Stores a batch right behind the last event of the lane; none when that cannot be done, and nothing was.
async fn append_after(
    shared: &Shared,
    (session, known): (&mut Session, &mut KnownHeads),
    (batch, token): (&AppendBatch, Option<Token>),
) -> Result<Option<Vec<AppendOutcome>>, Failed> {
    if !shared.shortcuts.load(Ordering::Relaxed) || !pieces::is_one(batch) {
        return Ok(None);
    }
    let Some(following) = Following::of(batch, known, token) else { return Ok(None) };
    let stored = following.append(shared, session).await?;
    Ok(stored.then(|| following.settle(known)))
}

/// Stores a batch by one statement; none when what is known of the lane is not its history, and is forgotten.
async fn append_piece(
    shared: &Shared,
    (session, known): (&mut Session, &mut KnownHeads),
    batch: &AppendBatch,
    (token, trusting): (Option<Token>, bool),
) -> Result<Option<Vec<AppendOutcome>>, Failed> {
    let columns = AppendColumns::of(batch, known, trusting);
    let incarnation = batch.incarnation;
    let write = Write { doing: DOING, incarnation, query: APPEND, token };
    let answer = send(shared, session, (write, known.lane()), (batch, &columns)).await?;
    if answer.is_known {
        return Ok(Some(settle(batch, &columns, &answer, known)));
    }
    let (lane, head) = (batch.lane.nr(), answer.head_before.get());
    // otherwise retention has deleted the event
    if known.lane().is_some_and(|known| known.position > answer.head_before) {
        tracing::warn!(lane, head, "lane regressed, its last events are lost");
    }
    known.forget();
    Ok(None)
}

/// As [`append_piece`], by several statements of one transaction.
async fn append_pieces(
    shared: &Shared,
    (session, known): (&mut Session, &mut KnownHeads),
    batch: &AppendBatch,
    how: (Option<Token>, bool),
) -> Result<Option<Vec<AppendOutcome>>, Failed> {
    let pieces = Appending { shared, known, batch, how };
    let appended = transaction::run(session, shared.connector(), DOING, pieces).await;
    let (stored, learned) = appended?;
    *known = learned;
    Ok(stored)
}

/// A batch that several statements append.
struct Appending<'a> {
    shared: &'a Shared,
    known: &'a mut KnownHeads,
    batch: &'a AppendBatch,
    /// What its writer shows, and whether heads that are known need no look.
    how: (Option<Token>, bool),
}

impl Statements for Appending<'_> {
    /// What [`append_piece`] says, and what is known then.
    type Done = (Option<Vec<AppendOutcome>>, KnownHeads);

    async fn run(&mut self, session: &mut Session) -> Result<Self::Done, Failed> {
        let Self { shared, batch, how, .. } = *self;
        // what the pieces leave is known once they are committed, and not when this future is dropped before
        let mut known = self.known.take();
        let mut outcomes: Vec<Option<AppendOutcome>> = vec![None; batch.appends.len()];
        for (nr, piece) in Pieces::of(batch).enumerate() {
            let piece = without_conflicts(piece, &outcomes);
            match append_piece(shared, (session, &mut known), &piece.batch, how).await? {
                Some(found) => join(&mut outcomes, piece.of, found)?,
                None if nr == 0 => return Ok((None, known)), // nothing was done
                None => return Err(changed().into()),
            }
        }
        Ok((Some(outcomes.into_iter().flatten().collect()), known))
    }
}

/// Leaves out what belongs to appends that have turned out to conflict.
fn without_conflicts(piece: Piece, outcomes: &[Option<AppendOutcome>]) -> Piece {
    let Piece { batch, of } = piece;
    let goes = |nr: &usize| !matches!(outcomes[*nr], Some(AppendOutcome::Conflict { .. }));
    let parts = of.into_iter().zip(batch.appends).filter(|(nr, _)| goes(nr));
    let (of, appends) = parts.unzip();
    Piece { batch: AppendBatch { appends, ..batch }, of }
}

/// Takes note of the outcomes of a piece. The later parts of an append follow the first one under the lane's lock, so
/// they cannot conflict.
fn join(
    outcomes: &mut [Option<AppendOutcome>],
    of: Vec<usize>,
    found: Vec<AppendOutcome>,
) -> Result<(), StoreError> {
    for (nr, outcome) in of.into_iter().zip(found) {
        let conflicts = matches!(outcome, AppendOutcome::Conflict { .. });
        if conflicts && outcomes[nr].is_some() {
            return Err(changed());
        }
        outcomes[nr] = Some(outcome);
    }
    Ok(())
}

fn changed() -> StoreError {
    StoreError::unavailable(DOING, "another program changed the tables while the lane was locked")
}

async fn send(
    shared: &Shared,
    session: &mut Session,
    (write, lane): (Write, Option<LaneHead>),
    (batch, columns): (&AppendBatch, &AppendColumns<'_>),
) -> Result<Answer, Failed> {
    let row = fence::write(shared, session, write, |query| {
        let query = query
            .bind(i32::from(batch.lane.nr()))
            .bind(lane.map_or(-1, |lane| integer::bound(lane.position.get())))
            .bind(lane.map(|lane| lane.incarnation))
            .bind(lane.map(|lane| lane.event_nr));
        columns.bind(query)
    });
    answer(&row.await?).map_err(|error| fence::unreadable(DOING, error).into())
}

fn answer(row: &Row) -> Result<Answer, sqlx::Error> {
    let position = Position::new(row.count(3)?);
    let event: (Option<i64>, Option<i64>) = (column(row, 4)?, column(row, 5)?);
    let event_before = match event {
        (Some(incarnation), Some(event_nr)) => Some(LaneHead { position, incarnation, event_nr }),
        _ => None,
    };
    let conflicting: Option<Vec<i32>> = column(row, 7)?;
    let actual: Option<Vec<i64>> = column(row, 8)?;
    let actual = actual.unwrap_or_default().into_iter().map(sequence_nr);
    Ok(Answer {
        is_known: column::<i32>(row, 0)? != UNKNOWN_HISTORY,
        head_before: position,
        event_before,
        keys: column::<Option<Vec<i64>>>(row, 6)?.unwrap_or_default(),
        conflicting: conflicting.unwrap_or_default().into_iter().zip(actual).collect(),
    })
}

/// A sequence number from an array; a negative one cannot be there, the table counts from 1.
fn sequence_nr(value: i64) -> SequenceNr {
    SequenceNr::new(value.max(0).cast_unsigned())
}

/// Returns the outcome of each append, and remembers where the lane and its entities are now.
fn settle(
    batch: &AppendBatch,
    columns: &AppendColumns<'_>,
    answer: &Answer,
    known: &mut KnownHeads,
) -> Vec<AppendOutcome> {
    let (mut last, mut lane) = (answer.head_before, answer.event_before);
    let disturbed = known.lane().is_some_and(|known| known.position != answer.head_before);
    let mut found = answer.keys.iter();
    let mut heads = Vec::with_capacity(batch.appends.len());
    let mut outcomes = Vec::with_capacity(batch.appends.len());
    for ((append, entity), nr) in batch.appends.iter().zip(&columns.entities).zip(1..) {
        let entity = if *entity == 0 { found.next().copied().unwrap_or(0) } else { *entity };
        let (head, outcome) = match answer.conflicting.get(&nr) {
            Some(actual) => (*actual, AppendOutcome::Conflict { actual: *actual }),
            None => {
                last = last.plus(append.events.len() as u64);
                lane = Some(LaneHead::of(append, batch.incarnation, last));
                (append.last_sequence_nr(), AppendOutcome::Appended { last })
            }
        };
        heads.push(EntityHead { entity, head });
        outcomes.push(outcome);
    }
    known.moved(lane);
    known.set_disturbed(disturbed);
    if lane.is_some() {
        for (append, head) in batch.appends.iter().zip(heads).filter(|(_, head)| head.entity != 0) {
            known.remember(&append.entity, head);
        }
    }
    outcomes
}

impl<'a> AppendColumns<'a> {
    /// `trusting` says whether heads that are known need no look.
    fn of(batch: &'a AppendBatch, known: &mut KnownHeads, trusting: bool) -> Self {
        let (appends, events) = (batch.appends.len(), batch.events());
        let mut columns = Self {
            entities: Vec::with_capacity(appends),
            expected: Vec::with_capacity(appends),
            of: Vec::with_capacity(events),
            events: EventColumns::with_capacity(events),
            ..Self::default()
        };
        for (append, nr) in batch.appends.iter().zip(1..) {
            let found = known.find(&append.entity);
            columns.add(nr, append, found, trusting);
        }
        columns
    }

    fn add(
        &mut self,
        nr: i32,
        append: &'a EntityAppend,
        found: Option<EntityHead>,
        trusting: bool,
    ) {
        self.entities.push(found.map_or(0, |found| found.entity));
        self.expected.push(integer::bound(append.expected.get()));
        if !(trusting && found.is_some_and(|found| found.head == append.expected)) {
            self.checked.push(nr);
        }
        if found.is_none() {
            self.new.push(nr);
            self.kinds.push(append.entity.kind());
            self.ids.push(append.entity.id());
            self.partitions.push(append.partition.nr().into());
        }
        for (event, index) in append.events.iter().zip(0..) {
            self.of.push(nr);
            self.events.add(append, index, event);
        }
    }

    fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        let query = query
            .bind(&self.entities)
            .bind(&self.expected)
            .bind(&self.checked)
            .bind(&self.new)
            .bind(&self.kinds)
            .bind(&self.ids)
            .bind(&self.partitions)
            .bind(&self.of);
        self.events.bind(query)
    }
}
