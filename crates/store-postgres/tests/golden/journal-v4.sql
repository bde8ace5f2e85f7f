CREATE SCHEMA golden_v4;

CREATE FUNCTION golden_v4.append_many_after_v1(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _lane integer, _head bigint, _head_incarnation bigint, _head_event_nr bigint, _positions bigint[], _entities bigint[], _sequence_nrs bigint[], _event_nrs bigint[], _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _payloads bytea[], _metadata bytea[]) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN FALSE;
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', TRUE);
    END IF;
    IF pg_advisory_xact_lock_shared(_space, _fence) IS NULL THEN RETURN FALSE; END IF;
    IF pg_advisory_xact_lock(_space, _lane) IS NULL THEN RETURN FALSE; END IF;
    INSERT INTO "golden_v4".events (
        position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest, payload,
        metadata
    )
    SELECT a.position, a.entity, a.sequence_nr, _incarnation, a.event_nr, a.timestamp, a.schema_version, _lane, a.codec,
        a.manifest, a.payload, a.metadata
    FROM unnest(
        _positions, _entities, _sequence_nrs, _event_nrs, _timestamps, _codecs, _manifests, _schema_versions, _payloads,
        _metadata
    ) AS a (
        position, entity, sequence_nr, event_nr, timestamp, codec, manifest, schema_version, payload, metadata
    )
    WHERE EXISTS (
        SELECT FROM "golden_v4".writers AS w
        CROSS JOIN "golden_v4".lanes AS l
        CROSS JOIN LATERAL (
            SELECT e.position, e.incarnation, e.event_nr FROM "golden_v4".events AS e
            WHERE e.lane = _lane AND e.position >= _head ORDER BY e.position DESC LIMIT 1
        ) AS v
        WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL AND w.nonce = _nonce AND w.settled = _settled
            AND l.lane = _lane AND l.kept <= _head
            AND v.position = _head AND v.incarnation = _head_incarnation AND v.event_nr = _head_event_nr
    );
    RETURN FOUND;
END
$$;

CREATE FUNCTION golden_v4.append_one_after_v1(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _lane integer, _head bigint, _head_incarnation bigint, _head_event_nr bigint, _entity bigint, _sequence_nr bigint, _event_nr bigint, _timestamp bigint, _codec text, _manifest text, _schema_version bigint, _payload bytea, _metadata bytea) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN FALSE;
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', TRUE);
    END IF;
    -- a lock that was taken is nothing, and nothing is not NULL
    IF pg_advisory_xact_lock_shared(_space, _fence) IS NULL THEN RETURN FALSE; END IF;
    IF pg_advisory_xact_lock(_space, _lane) IS NULL THEN RETURN FALSE; END IF;
    INSERT INTO "golden_v4".events (
        position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest, payload,
        metadata
    )
    SELECT _head + 1, _entity, _sequence_nr, _incarnation, _event_nr, _timestamp, _schema_version, _lane, _codec,
        _manifest, _payload, _metadata
    WHERE EXISTS (
        SELECT FROM "golden_v4".writers AS w
        CROSS JOIN "golden_v4".lanes AS l
        CROSS JOIN LATERAL (
            SELECT e.position, e.incarnation, e.event_nr FROM "golden_v4".events AS e
            WHERE e.lane = _lane AND e.position >= _head ORDER BY e.position DESC LIMIT 1
        ) AS v
        WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL AND w.nonce = _nonce AND w.settled = _settled
            AND l.lane = _lane AND l.kept <= _head
            AND v.position = _head AND v.incarnation = _head_incarnation AND v.event_nr = _head_event_nr
    );
    RETURN FOUND;
END
$$;

CREATE FUNCTION golden_v4.append_v1(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _lane integer, _head bigint, _head_incarnation bigint, _head_event_nr bigint, _entities bigint[], _expected bigint[], _checked integer[], _new integer[], _kinds text[], _ids text[], _partitions integer[], _of integer[], _sequence_nrs bigint[], _event_nrs bigint[], _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _payloads bytea[], _metadata bytea[], OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _head_before bigint, OUT _incarnation_before bigint, OUT _event_nr_before bigint, OUT _keys bigint[], OUT _guilty integer[], OUT _actual bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT m._verdict, m._nonce_now, m._settled_now INTO _verdict, _nonce_now, _settled_now
    FROM "golden_v4".may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    -- one transaction of a lane at a time, from here to its commit: so the order of positions is that of commits
    PERFORM pg_advisory_xact_lock(_space, _lane);
    SELECT coalesce(v.position, l.kept), v.incarnation, v.event_nr
    INTO STRICT _head_before, _incarnation_before, _event_nr_before
    FROM "golden_v4".lanes AS l LEFT JOIN LATERAL (
        SELECT e.position, e.incarnation, e.event_nr FROM "golden_v4".events AS e
        WHERE e.lane = _lane AND e.position > l.kept ORDER BY e.position DESC LIMIT 1
    ) AS v ON TRUE
    WHERE l.lane = _lane;
    IF _head >= 0 AND NOT EXISTS (
        SELECT FROM "golden_v4".events AS e WHERE e.lane = _lane AND e.position = _head
            AND e.incarnation = _head_incarnation AND e.event_nr = _head_event_nr
    ) THEN
        _verdict := 3;
        RETURN;
    END IF;

    IF cardinality(_new) > 0 THEN
        _keys := "golden_v4".keys_v1(_kinds, _ids, _partitions, (
            SELECT array_agg(_expected[n.nr] = 0 ORDER BY n.ordinality) FROM unnest(_new) WITH ORDINALITY AS n (nr)
        ));
        FOR _i IN 1 .. cardinality(_new) LOOP
            _entities[_new[_i]] := _keys[_i];
        END LOOP;
    END IF;
    IF _head >= 0 AND _head_before > _head THEN
        _checked := _checked || ARRAY(
            SELECT a.nr::integer
            FROM unnest(_entities, _expected) WITH ORDINALITY AS a (entity, expected, nr)
            CROSS JOIN LATERAL (
                SELECT FROM "golden_v4".entities AS n WHERE n.entity = a.entity AND n.floor > a.expected LIMIT 1
            ) AS n
        );
    END IF;
    IF cardinality(_checked) > 0 THEN
        SELECT array_agg(h.nr), array_agg(h.actual) INTO _guilty, _actual
        FROM (
            SELECT c.nr, coalesce((
                SELECT e.sequence_nr FROM "golden_v4".events AS e
                WHERE e.entity = _entities[c.nr] AND e.sequence_nr > f.floor ORDER BY e.sequence_nr DESC LIMIT 1
            ), f.floor) AS actual
            FROM unnest(_checked) AS c (nr)
            CROSS JOIN LATERAL (
                SELECT coalesce((SELECT n.floor FROM "golden_v4".entities AS n WHERE n.entity = _entities[c.nr]), 0) AS floor
            ) AS f
        ) AS h
        WHERE h.actual <> _expected[h.nr];
    END IF;

    IF _guilty IS NULL THEN
        INSERT INTO "golden_v4".events (
            position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest,
            payload, metadata
        )
        SELECT _head_before + v.nr, _entities[v.of], v.sequence_nr, _incarnation, v.event_nr, v.timestamp,
            v.schema_version, _lane, v.codec, v.manifest, v.payload, v.metadata
        FROM unnest(
            _of, _sequence_nrs, _event_nrs, _timestamps, _codecs, _manifests, _schema_versions, _payloads, _metadata
        ) WITH ORDINALITY AS v (
            of, sequence_nr, event_nr, timestamp, codec, manifest, schema_version, payload, metadata, nr
        );
    ELSE
        -- the others close ranks
        INSERT INTO "golden_v4".events (
            position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest,
            payload, metadata
        )
        SELECT _head_before + row_number() OVER (ORDER BY v.nr), _entities[v.of], v.sequence_nr, _incarnation,
            v.event_nr, v.timestamp, v.schema_version, _lane, v.codec, v.manifest, v.payload, v.metadata
        FROM unnest(
            _of, _sequence_nrs, _event_nrs, _timestamps, _codecs, _manifests, _schema_versions, _payloads, _metadata
        ) WITH ORDINALITY AS v (
            of, sequence_nr, event_nr, timestamp, codec, manifest, schema_version, payload, metadata, nr
        )
        WHERE v.of NOT IN (SELECT g.nr FROM unnest(_guilty) AS g (nr));
    END IF;
END
$$;

CREATE FUNCTION golden_v4.delete_events_v1(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _lane integer, _kind text, _id text, _up_to bigint, _many bigint, OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _head bigint, OUT _floor bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    _entity bigint;
    _position bigint;
BEGIN
    SELECT m._verdict, m._nonce_now, m._settled_now INTO _verdict, _nonce_now, _settled_now
    FROM "golden_v4".may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    -- beside nobody who appends: an append must not find a number free because its event was deleted meanwhile
    PERFORM pg_advisory_xact_lock_shared(_space, _lane);
    -- two that delete events of one entity take turns
    SELECT n.entity, n.floor INTO _entity, _floor
    FROM "golden_v4".entities AS n WHERE n.kind = _kind AND n.id = _id FOR NO KEY UPDATE;
    _floor := coalesce(_floor, 0);
    _head := greatest(_floor, (
        SELECT e.sequence_nr FROM "golden_v4".events AS e
        WHERE e.entity = _entity AND e.sequence_nr > _floor ORDER BY e.sequence_nr DESC LIMIT 1
    ));
    IF _up_to > _head OR _up_to <= _floor THEN
        RETURN;
    END IF;
    _floor := least(_up_to, _floor + _many);
    UPDATE "golden_v4".entities AS n SET floor = _floor WHERE n.entity = _entity;
    SELECT e.position INTO STRICT _position FROM "golden_v4".events AS e WHERE e.entity = _entity AND e.sequence_nr = _floor;
    -- the lane keeps its head when its last event goes
    UPDATE "golden_v4".lanes AS l SET kept = _position
    WHERE l.lane = _lane AND l.kept < _position
        AND NOT EXISTS (SELECT FROM "golden_v4".events AS e WHERE e.lane = _lane AND e.position > _position);
    DELETE FROM "golden_v4".events AS e WHERE e.entity = _entity AND e.sequence_nr <= _floor;
END
$$;

CREATE FUNCTION golden_v4.durably_v1() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', TRUE);
    END IF;
END
$$;

CREATE FUNCTION golden_v4.keys_v1(_kinds text[], _ids text[], _partitions integer[], _wanted boolean[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    _keys bigint[];
BEGIN
    -- in order: two transactions that create the same entities wait for each other one way only
    INSERT INTO "golden_v4".entities (partition, kind, id)
    SELECT a.partition, a.kind, a.id
    FROM unnest(_kinds, _ids, _partitions, _wanted) AS a (kind, id, partition, wanted)
    WHERE a.wanted AND NOT EXISTS (SELECT FROM "golden_v4".entities AS n WHERE n.kind = a.kind AND n.id = a.id)
    ORDER BY a.kind, a.id
    -- that a key is taken is another matter: then the sequence lags behind its table, as a restore can leave it
    ON CONFLICT (kind, id) DO NOTHING;
    SELECT coalesce(array_agg(coalesce(n.entity, 0) ORDER BY a.nr), '{}') INTO _keys
    FROM unnest(_kinds, _ids) WITH ORDINALITY AS a (kind, id, nr)
    LEFT JOIN LATERAL (
        SELECT e.entity FROM "golden_v4".entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
    ) AS n ON TRUE;
    IF EXISTS (SELECT FROM unnest(_keys, _wanted) AS k (entity, wanted) WHERE k.wanted AND k.entity = 0) THEN
        RAISE EXCEPTION 'an entity that was to be created is not there' USING ERRCODE = 'data_corrupted';
    END IF;
    RETURN _keys;
END
$$;

CREATE FUNCTION golden_v4.may_write_v1(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a journal is written at the isolation level read committed, not %',
            current_setting('transaction_isolation') USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM "golden_v4".durably_v1();
    PERFORM pg_advisory_xact_lock_shared(_space, _fence);
    SELECT w.nonce, w.settled INTO _nonce_now, _settled_now
    FROM "golden_v4".writers AS w WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL;
    _verdict := CASE
        WHEN _nonce_now IS NULL OR _nonce_now <> _nonce THEN 1
        WHEN _nonce IS NULL OR _settled_now <> _settled THEN 2
        ELSE 0
    END;
END
$$;

CREATE FUNCTION golden_v4.renew_v1(_incarnation bigint, _nonce bigint, _micros double precision) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- whoever renews relies on it until the lease ends: it must be as durable as a claim
    PERFORM "golden_v4".durably_v1();
    UPDATE "golden_v4".writers AS w SET lease_until = clock_timestamp() + _micros * interval '1 microsecond'
    WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL AND (_nonce IS NULL OR w.nonce = _nonce);
    RETURN FOUND;
END
$$;

CREATE FUNCTION golden_v4.save_snapshots_v1(_kinds text[], _ids text[], _partitions integer[], _sequence_nrs bigint[], _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[], _recent_commands bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _entities bigint[];
BEGIN
    PERFORM "golden_v4".durably_v1();
    _entities := "golden_v4".keys_v1(_kinds, _ids, _partitions, array_fill(TRUE, ARRAY[cardinality(_kinds)]));
    INSERT INTO "golden_v4".snapshots (
        entity, sequence_nr, timestamp, schema_version, codec, manifest, state, recent_commands
    )
    SELECT v.entity, v.sequence_nr, v.timestamp, v.schema_version, v.codec, v.manifest, v.state, v.recent_commands
    FROM unnest(
        _entities, _sequence_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states, _recent_commands
    ) AS v (entity, sequence_nr, timestamp, codec, manifest, schema_version, state, recent_commands)
    ORDER BY v.entity, v.sequence_nr
    ON CONFLICT (entity, sequence_nr) DO UPDATE SET
        timestamp = excluded.timestamp, schema_version = excluded.schema_version, codec = excluded.codec,
        manifest = excluded.manifest, state = excluded.state, recent_commands = excluded.recent_commands;
END
$$;

CREATE FUNCTION golden_v4.write_states_v1(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[], _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[], _recent_commands bytea[], OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'states of this journal are written by programs that know version 2 of its schema or a later one'
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

CREATE FUNCTION golden_v4.write_states_v2(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[], _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[], _forget_to bigint[], _command_writes integer[], _command_revisions bigint[], _id_hashes bigint[], _uptimes bigint[], _records bytea[], OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT w._verdict, w._nonce_now, w._settled_now, w._outcomes
    INTO _verdict, _nonce_now, _settled_now, _outcomes
    FROM "golden_v4".write_states_v3(
        _space, _fence, _incarnation, _nonce, _settled, _kinds, _ids, _partitions, _expected, _revisions, _write_nrs,
        _timestamps, _codecs, _manifests, _schema_versions, _states, _forget_to, _command_writes, _command_revisions,
        _id_hashes, _uptimes, _records,
        ARRAY(SELECT DISTINCT p % j.lanes FROM unnest(_partitions) AS p CROSS JOIN "golden_v4".journal AS j ORDER BY 1)
    ) AS w;
END
$$;

CREATE FUNCTION golden_v4.write_states_v3(_space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[], _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[], _forget_to bigint[], _command_writes integer[], _command_revisions bigint[], _id_hashes bigint[], _uptimes bigint[], _records bytea[], _change_lanes integer[], OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _outcomes bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
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
    FROM "golden_v4".may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    -- one transaction that changes states of a lane at a time, from here to its commit: so the order of positions is that
    -- of commits. In order, and in front of all rows: no two wait for each other. The key is 2^30 + 65536 behind that of
    -- the lane's events
    FOREACH _lane IN ARRAY _change_lanes LOOP
        PERFORM pg_advisory_xact_lock(_space, 1073807360 + _lane);
    END LOOP;
    SELECT j.lanes INTO STRICT _lane_count FROM "golden_v4".journal AS j;
    _lanes := ARRAY(
        SELECT a.partition % _lane_count FROM unnest(_partitions) WITH ORDINALITY AS a (partition, nr) ORDER BY a.nr
    );
    _heads := ARRAY(
        SELECT coalesce((
            SELECT s.position FROM "golden_v4".states AS s WHERE s.lane = l.lane ORDER BY s.position DESC LIMIT 1
        ), 0)
        FROM unnest(_change_lanes) WITH ORDINALITY AS l (lane, nr) ORDER BY l.nr
    );
    -- of a lane that was not said nothing is known, and the table refuses that; what conflicts leaves a gap
    _positions := ARRAY(
        SELECT _heads[array_position(_change_lanes, a.lane)] + row_number() OVER (PARTITION BY a.lane ORDER BY a.nr)
        FROM unnest(_lanes) WITH ORDINALITY AS a (lane, nr) ORDER BY a.nr
    );

    _entities := "golden_v4".keys_v1(_kinds, _ids, _partitions, ARRAY(SELECT x = 0 FROM unnest(_expected) AS x));
    -- in order: two transactions that write the same entities wait for each other one way only
    PERFORM FROM "golden_v4".states AS s WHERE s.entity = ANY (_entities) ORDER BY s.entity FOR UPDATE;

    WITH written AS (
        INSERT INTO "golden_v4".states (
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
        UPDATE "golden_v4".states AS s SET
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
            ELSE coalesce((SELECT s.revision FROM "golden_v4".states AS s WHERE s.entity = a.entity), 0)
        END
        FROM unnest(_entities) WITH ORDINALITY AS a (entity, nr)
        ORDER BY a.nr
    );

    IF cardinality(_command_writes) > 0 THEN
        INSERT INTO "golden_v4".state_commands (entity, revision, id_hash, incarnation, uptime, record)
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
        DELETE FROM "golden_v4".state_commands AS d
        USING unnest(_entities, _outcomes, _forget_to) AS f (entity, outcome, up_to)
        WHERE f.outcome = -1 AND f.up_to > 0 AND d.entity = f.entity AND d.revision <= f.up_to;
    END IF;
END
$$;

CREATE TABLE golden_v4.actum_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE golden_v4.cluster (
    one boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    lease_millis bigint NOT NULL,
    name text NOT NULL,
    CONSTRAINT cluster_one_check CHECK (one)
);

CREATE TABLE golden_v4.entities (
    entity bigint NOT NULL,
    floor bigint DEFAULT 0 NOT NULL,
    partition integer NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT entities_entity_check CHECK ((entity > 0))
);

ALTER TABLE golden_v4.entities ALTER COLUMN entity ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME golden_v4.entities_entity_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE golden_v4.events (
    "position" bigint NOT NULL,
    entity bigint NOT NULL,
    sequence_nr bigint NOT NULL,
    incarnation bigint NOT NULL,
    event_nr bigint NOT NULL,
    "timestamp" bigint NOT NULL,
    schema_version bigint NOT NULL,
    lane integer NOT NULL,
    codec text NOT NULL,
    manifest text NOT NULL,
    payload bytea NOT NULL,
    metadata bytea NOT NULL,
    CONSTRAINT events_entity_check CHECK ((entity > 0))
);

CREATE TABLE golden_v4.journal (
    one boolean DEFAULT true NOT NULL,
    partitions integer NOT NULL,
    lanes integer NOT NULL,
    lock_space integer NOT NULL,
    CONSTRAINT journal_one_check CHECK (one)
);

CREATE TABLE golden_v4.lanes (
    lane integer NOT NULL,
    kept bigint NOT NULL
);

CREATE TABLE golden_v4.members (
    incarnation bigint NOT NULL,
    renewal bigint NOT NULL,
    name text NOT NULL,
    description bytea NOT NULL,
    note bytea NOT NULL
);

CREATE TABLE golden_v4.owners (
    role text NOT NULL COLLATE pg_catalog."C",
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    owner bigint
);

CREATE TABLE golden_v4.snapshots (
    entity bigint NOT NULL,
    sequence_nr bigint NOT NULL,
    "timestamp" bigint NOT NULL,
    schema_version bigint NOT NULL,
    codec text NOT NULL,
    manifest text NOT NULL,
    state bytea NOT NULL,
    recent_commands bytea NOT NULL,
    CONSTRAINT snapshots_entity_check CHECK ((entity > 0))
);

CREATE TABLE golden_v4.state_commands (
    entity bigint NOT NULL,
    revision bigint NOT NULL,
    id_hash bigint NOT NULL,
    incarnation bigint NOT NULL,
    uptime bigint NOT NULL,
    record bytea NOT NULL,
    CONSTRAINT state_commands_entity_check CHECK ((entity > 0))
);

CREATE TABLE golden_v4.states (
    entity bigint NOT NULL,
    revision bigint NOT NULL,
    incarnation bigint NOT NULL,
    write_nr bigint NOT NULL,
    "timestamp" bigint NOT NULL,
    schema_version bigint,
    codec text,
    manifest text,
    state bytea,
    recent_commands bytea NOT NULL,
    lane integer NOT NULL,
    "position" bigint NOT NULL,
    positioned bigint NOT NULL,
    CONSTRAINT states_entity_check CHECK ((entity > 0)),
    CONSTRAINT states_moved CHECK ((positioned = revision))
);

CREATE TABLE golden_v4.writers (
    incarnation bigint NOT NULL,
    slot text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL,
    nonce bigint NOT NULL,
    settled bigint DEFAULT 0 NOT NULL,
    claimed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

ALTER TABLE golden_v4.writers ALTER COLUMN incarnation ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME golden_v4.writers_incarnation_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

INSERT INTO golden_v4.actum_migrations VALUES (1, 'journal', '2026-11-30 18:16:46.599208+00');
INSERT INTO golden_v4.actum_migrations VALUES (2, 'commands', '2026-11-30 18:16:46.608669+00');
INSERT INTO golden_v4.actum_migrations VALUES (3, 'changes', '2026-11-30 18:16:46.618637+00');
INSERT INTO golden_v4.actum_migrations VALUES (4, 'members', '2026-11-30 18:16:46.642205+00');

INSERT INTO golden_v4.cluster VALUES (true, 3, 3001, 'bank');

INSERT INTO golden_v4.entities OVERRIDING SYSTEM VALUE VALUES (1, 0, 2, 'account', 'ACC-1');
INSERT INTO golden_v4.entities OVERRIDING SYSTEM VALUE VALUES (3, 0, 14, 'account', 'é');
INSERT INTO golden_v4.entities OVERRIDING SYSTEM VALUE VALUES (5, 0, 5, 'account', 'é');
INSERT INTO golden_v4.entities OVERRIDING SYSTEM VALUE VALUES (6, 0, 5, 'account', '語 '' " \ 
');
INSERT INTO golden_v4.entities OVERRIDING SYSTEM VALUE VALUES (2, 2, 6, 'account', 'acc-1');
INSERT INTO golden_v4.entities OVERRIDING SYSTEM VALUE VALUES (4, 3, 11, 'account', 'acc-6');

INSERT INTO golden_v4.events VALUES (2, 1, 1, 2, 2, 1000, 3, 0, 'json', 'account.deposited', '\x312d30', '\xff');
INSERT INTO golden_v4.events VALUES (3, 3, 1, 2, 3, 1000, 3, 0, 'json', 'account.deposited', '\x322d30', '\xffff');
INSERT INTO golden_v4.events VALUES (1, 5, 1, 2, 4, 1000, 3, 1, 'json', 'account.deposited', '\x332d30', '\xffffff');
INSERT INTO golden_v4.events VALUES (2, 6, 1, 2, 5, 1000, 3, 1, 'json', 'account.deposited', '\x342d30', '\xffffffff');
INSERT INTO golden_v4.events VALUES (5, 1, 2, 2, 8, 1001, 3, 0, 'json', 'account.deposited', '\x312d31', '\xff');
INSERT INTO golden_v4.events VALUES (6, 3, 2, 2, 9, 1001, 3, 0, 'json', 'account.deposited', '\x322d31', '\xffff');
INSERT INTO golden_v4.events VALUES (4, 5, 2, 2, 10, 1001, 3, 1, 'json', 'account.deposited', '\x332d31', '\xffffff');
INSERT INTO golden_v4.events VALUES (5, 6, 2, 2, 11, 1001, 3, 1, 'json', 'account.deposited', '\x342d31', '\xffffffff');
INSERT INTO golden_v4.events VALUES (7, 2, 3, 2, 13, 1002, 3, 0, 'json', 'account.deposited', '\x302d32', '\x');
INSERT INTO golden_v4.events VALUES (8, 1, 3, 2, 14, 1002, 3, 0, 'json', 'account.deposited', '\x312d32', '\xff');
INSERT INTO golden_v4.events VALUES (9, 3, 3, 2, 15, 1002, 3, 0, 'json', 'account.deposited', '\x322d32', '\xffff');
INSERT INTO golden_v4.events VALUES (7, 5, 3, 2, 16, 1002, 3, 1, 'json', 'account.deposited', '\x332d32', '\xffffff');
INSERT INTO golden_v4.events VALUES (8, 6, 3, 2, 17, 1002, 3, 1, 'json', 'account.deposited', '\x342d32', '\xffffffff');

INSERT INTO golden_v4.journal VALUES (true, 16, 2, 1144187930);

INSERT INTO golden_v4.lanes VALUES (0, 0);
INSERT INTO golden_v4.lanes VALUES (1, 9);

INSERT INTO golden_v4.members VALUES (3, 2, 'a', '\x00ff', '\x6e6f7465');

INSERT INTO golden_v4.owners VALUES ('', 0, 1, 3);
INSERT INTO golden_v4.owners VALUES ('billing', 0, 1, 3);
INSERT INTO golden_v4.owners VALUES ('', 15, 2, NULL);

INSERT INTO golden_v4.snapshots VALUES (2, 2, -5, 3, 'json', 'account.deposited', '\x7b2262616c616e6365223a337d', '\x0102');

INSERT INTO golden_v4.state_commands VALUES (1, 1, -2, 2, 4294967295, '\x7265636f7264');
INSERT INTO golden_v4.state_commands VALUES (3, 4, -5, 2, 4294967295, '\x7265636f7264');
INSERT INTO golden_v4.state_commands VALUES (1, 2, -3, 2, 4294967295, '\x7265636f7264');

INSERT INTO golden_v4.states VALUES (3, 4, 2, -3, 77, 3, 'json', 'account.deposited', '\x6e6577', '\x', 0, 2, 4);
INSERT INTO golden_v4.states VALUES (1, 2, 2, -2, 77, NULL, NULL, NULL, NULL, '\x', 0, 3, 2);

INSERT INTO golden_v4.writers OVERRIDING SYSTEM VALUE VALUES (1, 'journal', 'a first life; lease of 60000000 us', 432311323492142, 0, '2026-11-30 18:16:46.69211+00', '2026-11-30 18:17:46.69211+00', '2026-11-30 18:16:46.693561+00');
INSERT INTO golden_v4.writers OVERRIDING SYSTEM VALUE VALUES (2, 'journal', 'a test; lease of 60000000 us', 411244859239918, 0, '2026-11-30 18:16:46.695184+00', '2026-11-30 18:16:46.792993+00', NULL);
INSERT INTO golden_v4.writers OVERRIDING SYSTEM VALUE VALUES (3, 'node/a', 'a node; lease of 60000000 us', 3870626698009026, 0, '2026-11-30 18:16:46.794938+00', '2026-11-30 18:17:46.794938+00', NULL);

SELECT pg_catalog.setval('golden_v4.entities_entity_seq', 6, true);

SELECT pg_catalog.setval('golden_v4.writers_incarnation_seq', 3, true);

ALTER TABLE ONLY golden_v4.actum_migrations
    ADD CONSTRAINT actum_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY golden_v4.cluster
    ADD CONSTRAINT cluster_pkey PRIMARY KEY (one);

ALTER TABLE ONLY golden_v4.entities
    ADD CONSTRAINT entities_kind_id_key UNIQUE (kind, id);

ALTER TABLE ONLY golden_v4.entities
    ADD CONSTRAINT entities_pkey PRIMARY KEY (entity);

ALTER TABLE ONLY golden_v4.events
    ADD CONSTRAINT events_entity_sequence_nr_key UNIQUE (entity, sequence_nr);

ALTER TABLE ONLY golden_v4.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (lane, "position");

ALTER TABLE ONLY golden_v4.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (one);

ALTER TABLE ONLY golden_v4.lanes
    ADD CONSTRAINT lanes_pkey PRIMARY KEY (lane);

ALTER TABLE ONLY golden_v4.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (incarnation);

ALTER TABLE ONLY golden_v4.owners
    ADD CONSTRAINT owners_pkey PRIMARY KEY (role, partition);

ALTER TABLE ONLY golden_v4.snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (entity, sequence_nr);

ALTER TABLE ONLY golden_v4.state_commands
    ADD CONSTRAINT state_commands_pkey PRIMARY KEY (entity, revision);

ALTER TABLE ONLY golden_v4.states
    ADD CONSTRAINT states_pkey PRIMARY KEY (entity);

ALTER TABLE ONLY golden_v4.writers
    ADD CONSTRAINT writers_pkey PRIMARY KEY (incarnation);

CREATE UNIQUE INDEX one_writer_a_slot ON golden_v4.writers USING btree (slot) WHERE (revoked_at IS NULL);

CREATE UNIQUE INDEX state_changes ON golden_v4.states USING btree (lane, "position");
