-- What is kept of projections in PostgreSQL, schema version 1. What is here is never edited: later versions are scripts
-- of their own, run on top. `@` stands for the schema it lives in.
--
-- `name` and `version` are those of the projection. Numbers of 64 bits without a sign (event_nr) are stored as the signed
-- integer of the same bits. An offset is a text: one position a lane, separated by commas; progress has behind each
-- position, if an event was met there, where and which: `17,40:38@2-917`. Times are microseconds since 1970.

-- One row a version of a projection.
CREATE TABLE @projections (
    name       text COLLATE "C" NOT NULL,
    version    bigint           NOT NULL,
    -- the kinds of entities whose events it handles; all if empty
    sources    text[]           NOT NULL,
    partitions integer          NOT NULL,
    lanes      integer          NOT NULL,
    -- an offset: what is not behind it happened before the projection was there
    live_from  text             NOT NULL,
    is_paused  boolean          NOT NULL DEFAULT FALSE,
    is_active  boolean          NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE UNIQUE INDEX one_active_version ON @projections (name) WHERE is_active;

-- The last epoch that segments of a deleted projection had. Rows stay: no segment has an epoch twice.
CREATE TABLE @deleted (
    name    text COLLATE "C" NOT NULL,
    version bigint           NOT NULL,
    epoch   bigint           NOT NULL,
    PRIMARY KEY (name, version)
);

-- One row a range of partitions; it changes with every save, and finds room on its page.
CREATE TABLE @segments (
    name     text COLLATE "C" NOT NULL,
    version  bigint           NOT NULL,
    first    integer          NOT NULL,
    last     integer          NOT NULL,
    epoch    bigint           NOT NULL,
    owner    text,
    progress text             NOT NULL,
    handled  bigint           NOT NULL DEFAULT 0,
    saved_at bigint           NOT NULL DEFAULT 0,
    -- why it has stopped, if it needs a person
    stopped  text,
    PRIMARY KEY (name, version, first)
) WITH (fillfactor = 50);

-- One row a process that runs segments or waits for some; `renewal` counts while it lives.
CREATE TABLE @runners (
    name    text COLLATE "C" NOT NULL,
    version bigint           NOT NULL,
    runner  text COLLATE "C" NOT NULL,
    renewal bigint           NOT NULL,
    PRIMARY KEY (name, version, runner)
) WITH (fillfactor = 50);

-- One row an entity whose events are held back.
CREATE TABLE @parked (
    name        text COLLATE "C" NOT NULL,
    version     bigint           NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    partition   integer          NOT NULL,
    lane        integer          NOT NULL,
    -- its first event that was not handled
    sequence_nr bigint           NOT NULL,
    position    bigint           NOT NULL,
    error       text             NOT NULL,
    attempts    bigint           NOT NULL,
    parked_at   bigint           NOT NULL,
    request     text             CHECK (request IN ('replay', 'discard')),
    PRIMARY KEY (name, version, kind, id)
);

-- One row an event that was skipped.
CREATE TABLE @dead_letters (
    name         text COLLATE "C" NOT NULL,
    version      bigint           NOT NULL,
    lane         integer          NOT NULL,
    position     bigint           NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    partition    integer          NOT NULL,
    sequence_nr  bigint           NOT NULL,
    incarnation  bigint           NOT NULL,
    event_nr     bigint           NOT NULL,
    manifest     text             NOT NULL,
    error        text             NOT NULL,
    attempts     bigint           NOT NULL,
    skipped_at   bigint           NOT NULL,
    is_requested boolean          NOT NULL DEFAULT FALSE,
    PRIMARY KEY (name, version, lane, position)
);
CREATE INDEX requested_letters ON @dead_letters (name, version, lane, position) WHERE is_requested;
