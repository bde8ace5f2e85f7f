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
-- Told are the head of the lane before the append, with its event if that is there; the keys of the new entities; and
-- the appends that conflict, with where their entities are.
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
