-- Schema version 2: what is recorded of the commands of a durable state has rows of its own. The column
-- `recent_commands` of `states`, which held all of them, is empty once a state is written by this version.

-- One row a command that carried an id, under the revision it led to. `id_hash` is stored as the signed integer of the
-- same 64 bits; `uptime` is for how many seconds the incarnation had been running.
CREATE TABLE state_commands (
    entity      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    id_hash     INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    uptime      INTEGER NOT NULL,
    record      BLOB NOT NULL,
    PRIMARY KEY (entity, revision)
) STRICT, WITHOUT ROWID;
