-- Schema version 3: each write of a state has a position among the changes of its lane, so that changes can be read in
-- order. A write moves its entity to the end; the former position stays empty. Positions of changes and of events have
-- nothing to do with each other.

-- `positioned` is the revision that stands at `position`: so a statement that knows nothing of positions fails, instead of
-- leaving its change where readers have passed.
ALTER TABLE @states ADD COLUMN lane integer, ADD COLUMN position bigint, ADD COLUMN positioned bigint;

-- What is there already gets its positions in the order of times.
UPDATE @states AS s SET lane = o.lane, position = o.position, positioned = s.revision
FROM (
    SELECT l.entity, l.lane, row_number() OVER (PARTITION BY l.lane ORDER BY l.timestamp, l.entity) AS position
    FROM (
        SELECT s.entity, s.timestamp, coalesce(n.partition % j.lanes, 0) AS lane
        FROM @states AS s CROSS JOIN @journal AS j LEFT JOIN @entities AS n ON n.entity = s.entity
    ) AS l
) AS o
WHERE o.entity = s.entity;

ALTER TABLE @states ALTER COLUMN lane SET NOT NULL, ALTER COLUMN position SET NOT NULL,
    ALTER COLUMN positioned SET NOT NULL, ADD CONSTRAINT states_moved CHECK (positioned = revision);
CREATE UNIQUE INDEX state_changes ON @states (lane, position);

-- As `write_states_v2`, with positions. `_change_lanes` are the lanes of all entities that the transaction writes, in
-- order, those that later calls of it write included.
CREATE FUNCTION @write_states_v3(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[],
    _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[],
    _forget_to bigint[], _command_writes integer[], _command_revisions bigint[], _id_hashes bigint[],
    _uptimes bigint[], _records bytea[], _change_lanes integer[],
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    _lane_count integer;
    _lane integer;
    _lanes integer[];
    _heads bigint[];
    _positions bigint[];
    _entities bigint[];
    _written bigint[];
    _replaced bigint[];
BEGIN
    SELECT m._verdict, m._nonce_now, m._settled_now INTO _verdict, _nonce_now, _settled_now
    FROM @may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    -- one transaction that changes states of a lane at a time, from here to its commit: so the order of positions is that
    -- of commits. In order, and in front of all rows: no two wait for each other. The key is 2^30 + 65536 behind that of
    -- the lane's events
    FOREACH _lane IN ARRAY _change_lanes LOOP
        PERFORM pg_advisory_xact_lock(_space, 1073807360 + _lane);
    END LOOP;
    SELECT j.lanes INTO STRICT _lane_count FROM @journal AS j;
    _lanes := ARRAY(
        SELECT a.partition % _lane_count FROM unnest(_partitions) WITH ORDINALITY AS a (partition, nr) ORDER BY a.nr
    );
    _heads := ARRAY(
        SELECT coalesce((
            SELECT s.position FROM @states AS s WHERE s.lane = l.lane ORDER BY s.position DESC LIMIT 1
        ), 0)
        FROM unnest(_change_lanes) WITH ORDINALITY AS l (lane, nr) ORDER BY l.nr
    );
    -- of a lane that was not said nothing is known, and the table refuses that; what conflicts leaves a gap
    _positions := ARRAY(
        SELECT _heads[array_position(_change_lanes, a.lane)] + row_number() OVER (PARTITION BY a.lane ORDER BY a.nr)
        FROM unnest(_lanes) WITH ORDINALITY AS a (lane, nr) ORDER BY a.nr
    );

    _entities := @keys_v1(_kinds, _ids, _partitions, ARRAY(SELECT x = 0 FROM unnest(_expected) AS x));
    -- in order: two transactions that write the same entities wait for each other one way only
    PERFORM FROM @states AS s WHERE s.entity = ANY (_entities) ORDER BY s.entity FOR UPDATE;

    WITH written AS (
        INSERT INTO @states (
            entity, revision, incarnation, write_nr, timestamp, schema_version, codec, manifest, state, recent_commands,
            lane, position, positioned
        )
        SELECT v.entity, v.revision, _incarnation, v.write_nr, v.timestamp, v.schema_version, v.codec, v.manifest,
            v.state, '', v.lane, v.position, v.revision
        FROM unnest(
            _entities, _expected, _revisions, _write_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states,
            _lanes, _positions
        ) AS v (
            entity, expected, revision, write_nr, timestamp, codec, manifest, schema_version, state, lane, position
        )
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
            recent_commands = '', position = v.position, positioned = v.revision
        FROM unnest(
            _entities, _expected, _revisions, _write_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states,
            _positions
        ) AS v (entity, expected, revision, write_nr, timestamp, codec, manifest, schema_version, state, position)
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

-- A program that knows version 2 goes on writing, with positions, while others are brought up to this one. Those of its
-- transactions that take several calls may lock lanes in another order than others: then the server gives one of two up,
-- and it is sent again.
CREATE OR REPLACE FUNCTION @write_states_v2(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[],
    _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[],
    _forget_to bigint[], _command_writes integer[], _command_revisions bigint[], _id_hashes bigint[],
    _uptimes bigint[], _records bytea[],
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT w._verdict, w._nonce_now, w._settled_now, w._outcomes
    INTO _verdict, _nonce_now, _settled_now, _outcomes
    FROM @write_states_v3(
        _space, _fence, _incarnation, _nonce, _settled, _kinds, _ids, _partitions, _expected, _revisions, _write_nrs,
        _timestamps, _codecs, _manifests, _schema_versions, _states, _forget_to, _command_writes, _command_revisions,
        _id_hashes, _uptimes, _records,
        ARRAY(SELECT DISTINCT p % j.lanes FROM unnest(_partitions) AS p CROSS JOIN @journal AS j ORDER BY 1)
    ) AS w;
END
$$;

-- Version 1 kept commands beside their state, which this version cannot go on with.
CREATE OR REPLACE FUNCTION @write_states_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[],
    _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[],
    _recent_commands bytea[],
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'states of this journal are written by programs that know version 2 of its schema or a later one'
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
