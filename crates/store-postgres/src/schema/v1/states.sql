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
