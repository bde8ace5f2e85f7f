-- Appends events right behind the last event of a lane, if that is the one the caller left there. These functions save
-- time only: a journal that lacks them is written by `append` alone. So they belong to no version of the schema, and are
-- put beside it whenever a journal is opened that lacks them (`shortcuts.rs`). What is here is never edited: a function
-- that does something else gets another name.
--
-- `_head`, `_head_incarnation` and `_head_event_nr` are the last event of the lane that the caller knows. All that is
-- known of entities is true as long as nothing was written behind it: so no entity is looked at, and the caller sends
-- their keys and the numbers of the events. The answer is false when that is not the last event, a later one was
-- deleted, or the writer may not write; then nothing was done, and `append` finds out why.
--
-- The locks are the same as in `append`, in the same order: the writer's fence, then the lane. They are taken in
-- expressions of their own in front of the statement, which at the isolation level read committed, and no other, sees
-- what was committed while they were waited for.

-- One event.
CREATE OR REPLACE FUNCTION @append_one_after_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _lane integer, _head bigint, _head_incarnation bigint, _head_event_nr bigint,
    _entity bigint, _sequence_nr bigint, _event_nr bigint, _timestamp bigint, _codec text, _manifest text,
    _schema_version bigint, _payload bytea, _metadata bytea
) RETURNS boolean LANGUAGE plpgsql AS $$
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
    INSERT INTO @events (
        position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest, payload,
        metadata
    )
    SELECT _head + 1, _entity, _sequence_nr, _incarnation, _event_nr, _timestamp, _schema_version, _lane, _codec,
        _manifest, _payload, _metadata
    WHERE EXISTS (
        SELECT FROM @writers AS w
        CROSS JOIN @lanes AS l
        CROSS JOIN LATERAL (
            SELECT e.position, e.incarnation, e.event_nr FROM @events AS e
            WHERE e.lane = _lane AND e.position >= _head ORDER BY e.position DESC LIMIT 1
        ) AS v
        WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL AND w.nonce = _nonce AND w.settled = _settled
            AND l.lane = _lane AND l.kept <= _head
            AND v.position = _head AND v.incarnation = _head_incarnation AND v.event_nr = _head_event_nr
    );
    RETURN FOUND;
END
$$;

-- Many events; the arrays have an entry for each.
CREATE OR REPLACE FUNCTION @append_many_after_v1(
    _space integer, _fence integer, _incarnation bigint, _nonce bigint, _settled bigint,
    _lane integer, _head bigint, _head_incarnation bigint, _head_event_nr bigint,
    _positions bigint[], _entities bigint[], _sequence_nrs bigint[], _event_nrs bigint[], _timestamps bigint[],
    _codecs text[], _manifests text[], _schema_versions bigint[], _payloads bytea[], _metadata bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN FALSE;
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', TRUE);
    END IF;
    IF pg_advisory_xact_lock_shared(_space, _fence) IS NULL THEN RETURN FALSE; END IF;
    IF pg_advisory_xact_lock(_space, _lane) IS NULL THEN RETURN FALSE; END IF;
    INSERT INTO @events (
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
        SELECT FROM @writers AS w
        CROSS JOIN @lanes AS l
        CROSS JOIN LATERAL (
            SELECT e.position, e.incarnation, e.event_nr FROM @events AS e
            WHERE e.lane = _lane AND e.position >= _head ORDER BY e.position DESC LIMIT 1
        ) AS v
        WHERE w.incarnation = _incarnation AND w.revoked_at IS NULL AND w.nonce = _nonce AND w.settled = _settled
            AND l.lane = _lane AND l.kept <= _head
            AND v.position = _head AND v.incarnation = _head_incarnation AND v.event_nr = _head_event_nr
    );
    RETURN FOUND;
END
$$;
