-- Deletes events of an entity up to `_up_to`, at most `_many` of them, and says up to which they are deleted. `_head`
-- is that of the entity; nothing is deleted when `_up_to` is past it.
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
