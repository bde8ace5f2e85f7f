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
