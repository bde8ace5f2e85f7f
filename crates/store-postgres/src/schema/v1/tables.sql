-- The journal of Actum in PostgreSQL, schema version 1. What is here is never edited: later versions are scripts of
-- their own, run on top. `@` stands for the schema the journal lives in.
--
-- Numbers of 64 bits without a sign (event_nr, write_nr) are stored as the signed integer of the same bits. Functions
-- carry a number of their own in their names: programs of two versions may use one journal while it is upgraded.
--
-- A plan that is made while a table is nearly empty reads all of it, and is kept while the table grows. So functions
-- look rows up one by one by their index, and the connections that call them say so to the planner (`connection.rs`).

-- One row: what the journal is.
CREATE TABLE @journal (
    one        boolean PRIMARY KEY DEFAULT TRUE CHECK (one),
    partitions integer NOT NULL,
    lanes      integer NOT NULL,
    -- the first of the two keys of this journal's advisory locks: journals of one database do not wait for each other
    lock_space integer NOT NULL
);

-- One row a lane. Its head is the position of its last event, or `kept` once that event is deleted.
CREATE TABLE @lanes (
    lane integer PRIMARY KEY,
    kept bigint  NOT NULL
);

-- One row an incarnation; the one that may write for a slot is the one without `revoked_at`.
CREATE TABLE @writers (
    incarnation bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot        text COLLATE "C" NOT NULL,
    holder      text             NOT NULL,
    -- drawn by lot: tells this incarnation from one that a fail-over has lost and whose number it got
    nonce       bigint           NOT NULL,
    -- how often writes of unknown outcome were settled; what was sent before the last time is not carried out after it
    settled     bigint           NOT NULL DEFAULT 0,
    claimed_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz      NOT NULL,
    revoked_at  timestamptz
);
CREATE UNIQUE INDEX one_writer_a_slot ON @writers (slot) WHERE revoked_at IS NULL;

-- The integer that stands for an entity in every other table. Rows are never deleted and their keys never change.
-- The head of an entity is the sequence number of its last event, or `floor` once that is deleted too.
CREATE TABLE @entities (
    entity    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (entity > 0),
    floor     bigint           NOT NULL DEFAULT 0,
    partition integer          NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL,
    UNIQUE (kind, id)
);

-- One row an event.
CREATE TABLE @events (
    position       bigint  NOT NULL,
    entity         bigint  NOT NULL CHECK (entity > 0),
    sequence_nr    bigint  NOT NULL,
    incarnation    bigint  NOT NULL,
    event_nr       bigint  NOT NULL,
    timestamp      bigint  NOT NULL, -- microseconds since 1970
    schema_version bigint  NOT NULL,
    lane           integer NOT NULL,
    codec          text    NOT NULL,
    manifest       text    NOT NULL,
    payload        bytea   NOT NULL,
    metadata       bytea   NOT NULL,
    PRIMARY KEY (lane, position),
    UNIQUE (entity, sequence_nr)
);

CREATE TABLE @snapshots (
    entity          bigint NOT NULL CHECK (entity > 0),
    sequence_nr     bigint NOT NULL,
    timestamp       bigint NOT NULL,
    schema_version  bigint NOT NULL,
    codec           text   NOT NULL,
    manifest        text   NOT NULL,
    state           bytea  NOT NULL,
    recent_commands bytea  NOT NULL,
    PRIMARY KEY (entity, sequence_nr)
);

-- One row a durable-state entity; a tombstone has no codec, manifest, schema version and state.
CREATE TABLE @states (
    entity          bigint PRIMARY KEY CHECK (entity > 0),
    revision        bigint NOT NULL,
    incarnation     bigint NOT NULL,
    write_nr        bigint NOT NULL,
    timestamp       bigint NOT NULL,
    schema_version  bigint,
    codec           text,
    manifest        text,
    state           bytea,
    recent_commands bytea  NOT NULL
);
