-- ==== The one place that knows how the refresh functions find out who is in which segment. ====
-- Internal functions do it, which differ by version: _matching_segments() returns ids, _segment_bits() a bit for each
-- definition. bench.evaluation() gives the query that is timed: the number of memberships of a tenant. bench.members()
-- gives those of each segment, to be checked.
SELECT to_regprocedure('stratum._segment_bits(jsonb[], text[], "any")') IS NOT NULL AS has_bits \gset

\if :has_bits
CREATE FUNCTION bench.evaluation(tenant integer, ids bigint[], definitions jsonb[]) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT sum(bit_count(stratum._segment_bits(%L, ''{traits}'', p.traits)))
                 FROM stratum.cdp_profiles p WHERE p.tenant_id = %s', definitions, tenant)
$$;

CREATE FUNCTION bench.members(tenant integer, ids bigint[], definitions jsonb[]) RETURNS TABLE (id bigint, members bigint)
  LANGUAGE plpgsql AS $$
BEGIN
  -- with the definitions as a constant, for which they are compiled once
  RETURN QUERY EXECUTE format('
    SELECT ($1)[n + 1], count(*)
    FROM (SELECT stratum._segment_bits(%L, ''{traits}'', p.traits) AS bits
          FROM stratum.cdp_profiles p WHERE p.tenant_id = %s
          OFFSET 0) p   -- once for each profile
      CROSS JOIN generate_series(0, cardinality($1) - 1) n
    WHERE get_bit(p.bits, n) = 1
    GROUP BY n', definitions, tenant) USING ids;
END $$;
\else
CREATE FUNCTION bench.evaluation(tenant integer, ids bigint[], definitions jsonb[]) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT count(*) FROM stratum.cdp_profiles p
                   CROSS JOIN LATERAL unnest(stratum._matching_segments(%L, %L, p)) segment
                 WHERE p.tenant_id = %s', ids, definitions, tenant)
$$;

CREATE FUNCTION bench.members(tenant integer, ids bigint[], definitions jsonb[]) RETURNS TABLE (id bigint, members bigint)
  LANGUAGE sql AS $$
  SELECT segment, count(*)
  FROM stratum.cdp_profiles p CROSS JOIN LATERAL unnest(stratum._matching_segments(ids, definitions, p)) segment
  WHERE p.tenant_id = tenant
  GROUP BY segment
$$;
\endif
