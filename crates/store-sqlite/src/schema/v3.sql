-- Schema version 3: each write of a state has a position among the changes of its lane, so that changes can be read in
-- order. A write moves its entity to the end; the former position stays empty. Positions of changes and of events have
-- nothing to do with each other.
--
-- The table is made again, since a column that was added would need a default: without one, a program that knows nothing
-- of positions and has the file open cannot write a state any more, instead of leaving its change where readers have passed.
CREATE TABLE states_with_changes (
    entity          INTEGER PRIMARY KEY,
    revision        INTEGER NOT NULL,
    incarnation     INTEGER NOT NULL,
    write_nr        INTEGER NOT NULL,
    timestamp       INTEGER NOT NULL,
    codec           TEXT,
    manifest        TEXT,
    schema_version  INTEGER,
    state           BLOB,
    recent_commands BLOB NOT NULL,
    lane            INTEGER NOT NULL,
    position        INTEGER NOT NULL
) STRICT;

-- What is there already gets its positions in the order of times.
INSERT INTO states_with_changes
SELECT s.entity, s.revision, s.incarnation, s.write_nr, s.timestamp, s.codec, s.manifest, s.schema_version, s.state,
    s.recent_commands, s.lane, row_number() OVER (PARTITION BY s.lane ORDER BY s.timestamp, s.entity)
FROM (
    SELECT s.*, ifnull(n.partition % (SELECT lanes FROM journal), 0) AS lane
    FROM states AS s LEFT JOIN entities AS n ON n.entity = s.entity
) AS s;

DROP TABLE states;
ALTER TABLE states_with_changes RENAME TO states;
CREATE UNIQUE INDEX state_changes ON states (lane, position);
