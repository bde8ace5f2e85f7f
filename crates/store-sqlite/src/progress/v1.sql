-- The progress of projections in SQLite, schema version 1. What is here is never edited: later versions are scripts of
-- their own, run on top.
--
-- These tables may lie beside those of a journal or of the user, so all names begin with `actum_`. A place in the journal
-- is stored as the text that `ReadProgress` prints: lanes by commas, in each the position and, if an event was met, its
-- position and id: `17,40:38@2-917`. Times are microseconds since 1970, by the clock of the runner.

-- One row: what these tables are, and the epoch in which the segments of a new projection begin. It is behind all epochs
-- that were deleted, so that a runner of a deleted projection stays stale when the projection is entered again.
CREATE TABLE actum_progress (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    schema_version INTEGER NOT NULL,
    first_epoch    INTEGER NOT NULL
) STRICT;

-- One row a version of a projection. `sources` is a list of kinds in JSON, empty for all kinds.
CREATE TABLE actum_projections (
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    sources    TEXT NOT NULL,
    partitions INTEGER NOT NULL,
    lanes      INTEGER NOT NULL,
    live_from  TEXT NOT NULL,
    is_paused  INTEGER NOT NULL,
    is_active  INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- How far each segment has come, and who runs it. `epoch` changes with each claim, release and rewind.
CREATE TABLE actum_segments (
    name            TEXT NOT NULL,
    version         INTEGER NOT NULL,
    first_partition INTEGER NOT NULL,
    last_partition  INTEGER NOT NULL,
    progress        TEXT NOT NULL,
    epoch           INTEGER NOT NULL,
    owner           TEXT,
    handled         INTEGER NOT NULL,
    saved_at        INTEGER NOT NULL,
    stopped         TEXT,
    PRIMARY KEY (name, version, first_partition)
) STRICT, WITHOUT ROWID;

-- Who runs segments or waits for some. One whose `renewal` does not change is dead.
CREATE TABLE actum_runners (
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    runner  TEXT NOT NULL,
    renewal INTEGER NOT NULL,
    PRIMARY KEY (name, version, runner)
) STRICT, WITHOUT ROWID;

-- Entities whose events are held back: from which event on, and why.
CREATE TABLE actum_parked (
    name      TEXT NOT NULL,
    version   INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    id        TEXT NOT NULL,
    partition INTEGER NOT NULL,
    lane      INTEGER NOT NULL,
    from_nr   INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    error     TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    parked_at INTEGER NOT NULL,
    request   TEXT CHECK (request IN ('replay', 'discard')),
    PRIMARY KEY (name, version, kind, id)
) STRICT, WITHOUT ROWID;

-- Events that were skipped: where they are, and why.
CREATE TABLE actum_dead_letters (
    name         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    id           TEXT NOT NULL,
    partition    INTEGER NOT NULL,
    sequence_nr  INTEGER NOT NULL,
    incarnation  INTEGER NOT NULL,
    event_nr     INTEGER NOT NULL,
    manifest     TEXT NOT NULL,
    error        TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    skipped_at   INTEGER NOT NULL,
    is_requested INTEGER NOT NULL,
    PRIMARY KEY (name, version, lane, position)
) STRICT, WITHOUT ROWID;
