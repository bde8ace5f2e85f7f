-- Schema version 4: nodes of a cluster that share the journal, and which of them owns what.
--
-- Who changes members or owners locks the row of the cluster, behind the fences and before everything else.

-- One row: what the members agree on. `version` counts the changes of members and owners, and stays when all leave.
CREATE TABLE @cluster (
    one          boolean PRIMARY KEY DEFAULT TRUE CHECK (one),
    version      bigint NOT NULL,
    lease_millis bigint NOT NULL,
    name         text   NOT NULL
);

-- One row a member; it goes with the incarnation. `renewal` counts up.
CREATE TABLE @members (
    incarnation bigint PRIMARY KEY,
    renewal     bigint NOT NULL,
    name        text   NOT NULL,
    description bytea  NOT NULL,
    note        bytea  NOT NULL
);

-- One row for each partition that was ever claimed in a role.
CREATE TABLE @owners (
    role      text COLLATE "C" NOT NULL,
    partition integer          NOT NULL,
    epoch     bigint           NOT NULL,
    owner     bigint,
    PRIMARY KEY (role, partition)
);
