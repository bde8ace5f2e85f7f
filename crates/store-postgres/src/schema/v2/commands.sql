-- Schema version 2: what is recorded of the commands of a durable state has rows of its own. The column
-- `recent_commands` of `states`, which held all of them, is empty once a state is written by this version.

-- One row a command that carried an id, under the revision it led to. `id_hash` is stored as the signed integer of the
-- same 64 bits; `uptime` is for how many seconds the incarnation had been running.
CREATE TABLE @state_commands (
    entity      bigint NOT NULL CHECK (entity > 0),
    revision    bigint NOT NULL,
    id_hash     bigint NOT NULL,
    incarnation bigint NOT NULL,
    uptime      bigint NOT NULL,
    record      bytea  NOT NULL,
    PRIMARY KEY (entity, revision)
);

-- Writes durable states and the commands that led to them, and deletes commands up to `_forget_to`, where that is not
-- 0. `_command_writes` says for each command which write it belongs to, counted from 1. `_outcomes` has an entry for
-- each write: -1 if it is written, else the revision the entity is at.
CREATE FUNCTION @write_states_v2(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[],
    _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[],
    _forget_to bigint[], _command_writes integer[], _command_revisions bigint[], _id_hashes bigint[],
    _uptimes bigint[], _records bytea[],
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    _entities bigint[];
    _written bigint[];
    _replaced bigint[];
BEGIN
    SELECT m._verdict, m._nonce_now, m._settled_now INTO _verdict, _nonce_now, _settled_now
    FROM @may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    _entities := @keys_v1(_kinds, _ids, _partitions, ARRAY(SELECT x = 0 FROM unnest(_expected) AS x));
    -- in order: two transactions that write the same entities wait for each other one way only
    PERFORM FROM @states AS s WHERE s.entity = ANY (_entities) ORDER BY s.entity FOR UPDATE;

    WITH written AS (
        INSERT INTO @states (
            entity, revision, incarnation, write_nr, timestamp, schema_version, codec, manifest, state, recent_commands
        )
        SELECT v.entity, v.revision, _incarnation, v.write_nr, v.timestamp, v.schema_version, v.codec, v.manifest,
            v.state, ''
        FROM unnest(
            _entities, _expected, _revisions, _write_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states
        ) AS v (entity, expected, revision, write_nr, timestamp, codec, manifest, schema_version, state)
        WHERE v.expected = 0
        ORDER BY v.entity
        ON CONFLICT (entity) DO NOTHING
        RETURNING entity
    )
    SELECT array_agg(w.entity) INTO _written FROM written AS w;

    WITH replaced AS (
        UPDATE @states AS s SET
            revision = v.revision, incarnation = _incarnation, write_nr = v.write_nr, timestamp = v.timestamp,
            schema_version = v.schema_version, codec = v.codec, manifest = v.manifest, state = v.state,
            recent_commands = ''
        FROM unnest(
            _entities, _expected, _revisions, _write_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states
        ) AS v (entity, expected, revision, write_nr, timestamp, codec, manifest, schema_version, state)
        WHERE v.expected > 0 AND s.entity = v.entity AND s.revision = v.expected
        RETURNING s.entity
    )
    SELECT array_agg(r.entity) INTO _replaced FROM replaced AS r;

    _outcomes := ARRAY(
        SELECT CASE
            WHEN a.entity IN (SELECT unnest(_written || _replaced)) THEN -1
            ELSE coalesce((SELECT s.revision FROM @states AS s WHERE s.entity = a.entity), 0)
        END
        FROM unnest(_entities) WITH ORDINALITY AS a (entity, nr)
        ORDER BY a.nr
    );

    IF cardinality(_command_writes) > 0 THEN
        INSERT INTO @state_commands (entity, revision, id_hash, incarnation, uptime, record)
        SELECT _entities[c.nr], c.revision, c.id_hash, _incarnation, c.uptime, c.record
        FROM unnest(_command_writes, _command_revisions, _id_hashes, _uptimes, _records)
            AS c (nr, revision, id_hash, uptime, record)
        WHERE _outcomes[c.nr] = -1
        -- a state that was put back to an older one by hand can leave commands behind
        ON CONFLICT (entity, revision) DO UPDATE SET
            id_hash = excluded.id_hash, incarnation = excluded.incarnation, uptime = excluded.uptime,
            record = excluded.record;
    END IF;
    IF 0 < ANY (_forget_to) THEN
        DELETE FROM @state_commands AS d
        USING unnest(_entities, _outcomes, _forget_to) AS f (entity, outcome, up_to)
        WHERE f.outcome = -1 AND f.up_to > 0 AND d.entity = f.entity AND d.revision <= f.up_to;
    END IF;
END
$$;
