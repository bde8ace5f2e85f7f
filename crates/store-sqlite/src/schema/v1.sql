-- The journal of Actum in SQLite, schema version 1. What is here is never edited: later versions are scripts of their
-- own, run on top.
--
-- Numbers of 64 bits without a sign (event_nr, write_nr) are stored as the signed integer of the same bits.

-- One row: what the journal is.
CREATE TABLE journal (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    partitions INTEGER NOT NULL,
    lanes      INTEGER NOT NULL,
    -- counts the batches whose commit failed and was settled as not stored; see event_store.rs
    settled    INTEGER NOT NULL
) STRICT;

-- One row a lane. Its head is the position of its last event, or `kept` once that event is deleted.
CREATE TABLE lanes (
    lane INTEGER PRIMARY KEY,
    kept INTEGER NOT NULL
) STRICT;

-- One row an incarnation; the one that may write for a slot is the one without `revoked_at`. Seconds since 1970.
CREATE TABLE writers (
    incarnation INTEGER PRIMARY KEY AUTOINCREMENT,
    slot        TEXT NOT NULL,
    holder      TEXT NOT NULL,
    process_id  INTEGER NOT NULL,
    claimed_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX one_writer_a_slot ON writers (slot) WHERE revoked_at IS NULL;

-- The integer that stands for an entity in every other table. Rows are never deleted and their keys never change.
-- The head of an entity is the sequence number of its last event, or `floor` once that is deleted too.
CREATE TABLE entities (
    entity    INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    id        TEXT NOT NULL,
    partition INTEGER NOT NULL,
    floor     INTEGER NOT NULL,
    UNIQUE (kind, id)
) STRICT;

-- One row an event. `place` is its lane and position in one integer: the lane in the highest of 63 bits, as many as
-- the number of lanes needs (none for one lane: `place` is the position), the position in the others.
CREATE TABLE events (
    place          INTEGER PRIMARY KEY,
    entity         INTEGER NOT NULL,
    sequence_nr    INTEGER NOT NULL,
    incarnation    INTEGER NOT NULL,
    event_nr       INTEGER NOT NULL,
    timestamp      INTEGER NOT NULL,
    codec          TEXT NOT NULL,
    manifest       TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        BLOB NOT NULL,
    metadata       BLOB NOT NULL,
    UNIQUE (entity, sequence_nr)
) STRICT;

CREATE TABLE snapshots (
    entity          INTEGER NOT NULL,
    sequence_nr     INTEGER NOT NULL,
    timestamp       INTEGER NOT NULL,
    codec           TEXT NOT NULL,
    manifest        TEXT NOT NULL,
    schema_version  INTEGER NOT NULL,
    state           BLOB NOT NULL,
    recent_commands BLOB NOT NULL,
    UNIQUE (entity, sequence_nr)
) STRICT;

-- One row a durable-state entity; a tombstone has no codec, manifest, schema version and state.
CREATE TABLE states (
    entity          INTEGER PRIMARY KEY,
    revision        INTEGER NOT NULL,
    incarnation     INTEGER NOT NULL,
    write_nr        INTEGER NOT NULL,
    timestamp       INTEGER NOT NULL,
    codec           TEXT,
    manifest        TEXT,
    schema_version  INTEGER,
    state           BLOB,
    recent_commands BLOB NOT NULL
) STRICT;
