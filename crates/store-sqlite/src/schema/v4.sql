-- Schema version 4: nodes of a cluster that share the journal, and which of them owns what.

-- One row: what the members agree on. `version` counts the changes of members and owners, and stays when all leave.
CREATE TABLE cluster (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    version      INTEGER NOT NULL,
    lease_millis INTEGER NOT NULL,
    name         TEXT NOT NULL
) STRICT;

-- One row a member; it goes with the incarnation. `renewal` counts up.
CREATE TABLE members (
    incarnation INTEGER PRIMARY KEY,
    renewal     INTEGER NOT NULL,
    name        TEXT NOT NULL,
    description BLOB NOT NULL,
    note        BLOB NOT NULL
) STRICT;

-- One row for each partition that was ever claimed in a role.
CREATE TABLE owners (
    role      TEXT NOT NULL,
    partition INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    owner     INTEGER,
    PRIMARY KEY (role, partition)
) STRICT, WITHOUT ROWID;
