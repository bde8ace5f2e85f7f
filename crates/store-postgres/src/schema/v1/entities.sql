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
