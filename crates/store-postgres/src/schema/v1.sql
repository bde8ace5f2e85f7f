-- The journal of Actum in PostgreSQL, schema version 1. What is here is never edited: later versions are scripts of
-- their own, run on top. `@` stands for the schema the journal lives in.
--
-- Numbers of 64 bits without a sign (event_nr, write_nr) are stored as the signed integer of the same bits. Functions
-- carry a number of their own in their names: programs of two versions may use one journal while it is upgraded.
--
-- A plan that is made while a table is nearly empty reads all of it, and is kept while the table grows. So functions look
-- rows up one by one by their index, and the connections that call them say so to the planner (`connection.rs`).

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

-- Makes the commit of this transaction wait for the disk, whatever the defaults of the database are.
CREATE FUNCTION @durably_v1() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', TRUE);
    END IF;
END
$$;

-- Joins the fence of a writer until the transaction ends, and says whether that writer may write: 0 if so, 1 if it was
-- revoked or its number was given to another, 2 if its writes were settled meanwhile. What it must show is told in any
-- case; a caller that does not know its nonce gives none.
--
-- Whoever revokes or settles takes the same lock alone. The rows are looked at in a statement of its own behind the
-- lock: at the isolation level read committed, and no other, that one sees what was committed while the lock was waited
-- for.
CREATE FUNCTION @may_write_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint
) LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a journal is written at the isolation level read committed, not %',
            current_setting('transaction_isolation') USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM @durably_v1();
    PERFORM pg_advisory_xact_lock_shared(_space, _fence);
    SELECT w.nonce, w.settled INTO _nonce_now, _settled_now
    FROM @writers AS w WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL;
    _verdict := CASE
        WHEN _nonce_now IS NULL OR _nonce_now <> _nonce THEN 1
        WHEN _nonce IS NULL OR _settled_now <> _settled THEN 2
        ELSE 0
    END;
END
$$;

-- Prolongs the lease of a writer, and says whether it may still write.
CREATE FUNCTION @renew_v1(_incarnation bigint, _nonce bigint, _micros double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    -- whoever renews relies on it until the lease ends: it must be as durable as a claim
    PERFORM @durably_v1();
    UPDATE @writers AS w SET lease_until = clock_timestamp() + _micros * interval '1 microsecond'
    WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL AND (_nonce IS NULL OR w.nonce = _nonce);
    RETURN FOUND;
END
$$;

-- Gives every entity of a list its key, and creates those that have none where that is wanted; 0 for the others.
CREATE FUNCTION @keys_v1(_kinds text[], _ids text[], _partitions integer[], _wanted boolean[])
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    _keys bigint[];
BEGIN
    -- in order: two transactions that create the same entities wait for each other one way only
    INSERT INTO @entities (partition, kind, id)
    SELECT a.partition, a.kind, a.id
    FROM unnest(_kinds, _ids, _partitions, _wanted) AS a (kind, id, partition, wanted)
    WHERE a.wanted AND NOT EXISTS (SELECT FROM @entities AS n WHERE n.kind = a.kind AND n.id = a.id)
    ORDER BY a.kind, a.id
    -- that a key is taken is another matter: then the sequence lags behind its table, as a restore can leave it
    ON CONFLICT (kind, id) DO NOTHING;
    SELECT coalesce(array_agg(coalesce(n.entity, 0) ORDER BY a.nr), '{}') INTO _keys
    FROM unnest(_kinds, _ids) WITH ORDINALITY AS a (kind, id, nr)
    LEFT JOIN LATERAL (
        SELECT e.entity FROM @entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
    ) AS n ON TRUE;
    IF EXISTS (SELECT FROM unnest(_keys, _wanted) AS k (entity, wanted) WHERE k.wanted AND k.entity = 0) THEN
        RAISE EXCEPTION 'an entity that was to be created is not there' USING ERRCODE = 'data_corrupted';
    END IF;
    RETURN _keys;
END
$$;

-- Appends events of many entities to a lane.
--
-- Arrays that begin with `_entities` and `_expected` have an entry for each append, counted from 1: the key of its
-- entity, 0 if the caller does not know it, and the sequence number it must be at. `_new` lists the appends of unknown
-- entities, `_checked` those whose head the caller does not know. Arrays that begin with `_of` have an entry for each
-- event, the first of them the append it belongs to.
--
-- `_head` is the last position of the lane that the caller knows, with the incarnation and number of the event there;
-- -1 if it knows nothing. That event must still be there, or the history is not the one the caller knows: a replica has
-- taken over that had not got everything, or the event was deleted. Then the verdict is 3, nothing is done, and the
-- caller forgets all it knows. If the lane's head is further on, others have written, and a head of an entity that was
-- true once may be too low: then the first event's number is taken, which the insert finds out, or deleted, which the
-- entity's floor tells.
--
-- Told are the head of the lane before the append, with its event if that is there; the keys of the new entities; and the
-- appends that conflict, with where their entities are.
CREATE FUNCTION @append_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _lane integer, _head bigint, _head_incarnation bigint, _head_event_nr bigint,
    _entities bigint[], _expected bigint[], _checked integer[],
    _new integer[], _kinds text[], _ids text[], _partitions integer[],
    _of integer[], _sequence_nrs bigint[], _event_nrs bigint[], _timestamps bigint[],
    _codecs text[], _manifests text[], _schema_versions bigint[], _payloads bytea[], _metadata bytea[],
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint,
    OUT _head_before bigint, OUT _incarnation_before bigint, OUT _event_nr_before bigint,
    OUT _keys bigint[], OUT _guilty integer[], OUT _actual bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT m._verdict, m._nonce_now, m._settled_now INTO _verdict, _nonce_now, _settled_now
    FROM @may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    -- one transaction of a lane at a time, from here to its commit: so the order of positions is that of commits
    PERFORM pg_advisory_xact_lock(_space, _lane);
    SELECT coalesce(v.position, l.kept), v.incarnation, v.event_nr
    INTO STRICT _head_before, _incarnation_before, _event_nr_before
    FROM @lanes AS l LEFT JOIN LATERAL (
        SELECT e.position, e.incarnation, e.event_nr FROM @events AS e
        WHERE e.lane = _lane AND e.position > l.kept ORDER BY e.position DESC LIMIT 1
    ) AS v ON TRUE
    WHERE l.lane = _lane;
    IF _head >= 0 AND NOT EXISTS (
        SELECT FROM @events AS e WHERE e.lane = _lane AND e.position = _head
            AND e.incarnation = _head_incarnation AND e.event_nr = _head_event_nr
    ) THEN
        _verdict := 3;
        RETURN;
    END IF;

    IF cardinality(_new) > 0 THEN
        _keys := @keys_v1(_kinds, _ids, _partitions, (
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
                SELECT FROM @entities AS n WHERE n.entity = a.entity AND n.floor > a.expected LIMIT 1
            ) AS n
        );
    END IF;
    IF cardinality(_checked) > 0 THEN
        SELECT array_agg(h.nr), array_agg(h.actual) INTO _guilty, _actual
        FROM (
            SELECT c.nr, coalesce((
                SELECT e.sequence_nr FROM @events AS e
                WHERE e.entity = _entities[c.nr] AND e.sequence_nr > f.floor ORDER BY e.sequence_nr DESC LIMIT 1
            ), f.floor) AS actual
            FROM unnest(_checked) AS c (nr)
            CROSS JOIN LATERAL (
                SELECT coalesce((SELECT n.floor FROM @entities AS n WHERE n.entity = _entities[c.nr]), 0) AS floor
            ) AS f
        ) AS h
        WHERE h.actual <> _expected[h.nr];
    END IF;

    IF _guilty IS NULL THEN
        INSERT INTO @events (
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
        INSERT INTO @events (
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

-- Writes durable states. `_outcomes` has an entry for each: -1 if it is written, else the revision the entity is at.
CREATE FUNCTION @write_states_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _kinds text[], _ids text[], _partitions integer[], _expected bigint[], _revisions bigint[], _write_nrs bigint[],
    _timestamps bigint[], _codecs text[], _manifests text[], _schema_versions bigint[], _states bytea[],
    _recent_commands bytea[],
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
            v.state, v.recent_commands
        FROM unnest(
            _entities, _expected, _revisions, _write_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states,
            _recent_commands
        ) AS v (
            entity, expected, revision, write_nr, timestamp, codec, manifest, schema_version, state, recent_commands
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
            recent_commands = v.recent_commands
        FROM unnest(
            _entities, _expected, _revisions, _write_nrs, _timestamps, _codecs, _manifests, _schema_versions, _states,
            _recent_commands
        ) AS v (
            entity, expected, revision, write_nr, timestamp, codec, manifest, schema_version, state, recent_commands
        )
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
END
$$;

-- Deletes events of an entity up to `_up_to`, at most `_many` of them, and says up to which they are deleted. `_head` is
-- that of the entity; nothing is deleted when `_up_to` is past it.
CREATE FUNCTION @delete_events_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint, _lane integer, _kind text,
    _id text, _up_to bigint, _many bigint,
    OUT _verdict integer, OUT _nonce_now bigint, OUT _settled_now bigint, OUT _head bigint, OUT _floor bigint
) LANGUAGE plpgsql AS $$
DECLARE
    _entity bigint;
    _position bigint;
BEGIN
    SELECT m._verdict, m._nonce_now, m._settled_now INTO _verdict, _nonce_now, _settled_now
    FROM @may_write_v1(_space, _fence, _incarnation, _nonce, _settled) AS m;
    IF _verdict <> 0 THEN
        RETURN;
    END IF;
    -- beside nobody who appends: an append must not find a number free because its event was deleted meanwhile
    PERFORM pg_advisory_xact_lock_shared(_space, _lane);
    -- two that delete events of one entity take turns
    SELECT n.entity, n.floor INTO _entity, _floor
    FROM @entities AS n WHERE n.kind = _kind AND n.id = _id FOR NO KEY UPDATE;
    _floor := coalesce(_floor, 0);
    _head := greatest(_floor, (
        SELECT e.sequence_nr FROM @events AS e
        WHERE e.entity = _entity AND e.sequence_nr > _floor ORDER BY e.sequence_nr DESC LIMIT 1
    ));
    IF _up_to > _head OR _up_to <= _floor THEN
        RETURN;
    END IF;
    _floor := least(_up_to, _floor + _many);
    UPDATE @entities AS n SET floor = _floor WHERE n.entity = _entity;
    SELECT e.position INTO STRICT _position FROM @events AS e WHERE e.entity = _entity AND e.sequence_nr = _floor;
    -- the lane keeps its head when its last event goes
    UPDATE @lanes AS l SET kept = _position
    WHERE l.lane = _lane AND l.kept < _position
        AND NOT EXISTS (SELECT FROM @events AS e WHERE e.lane = _lane AND e.position > _position);
    DELETE FROM @events AS e WHERE e.entity = _entity AND e.sequence_nr <= _floor;
END
$$;

-- Saves snapshots, each entity and number at most once. Entities that are not there are created.
CREATE FUNCTION @save_snapshots_v1(
    _kinds text[], _ids text[], _partitions integer[], _sequence_nrs bigint[], _timestamps bigint[], _codecs text[],
    _manifests text[], _schema_versions bigint[], _states bytea[], _recent_commands bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _entities bigint[];
BEGIN
    PERFORM @durably_v1();
    _entities := @keys_v1(_kinds, _ids, _partitions, array_fill(TRUE, ARRAY[cardinality(_kinds)]));
    INSERT INTO @snapshots (
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
