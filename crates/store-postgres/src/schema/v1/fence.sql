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
