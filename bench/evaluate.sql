-- ==== The one place that knows how the refresh functions find out who is in which segment. ====
-- The internal _segment_bits() does it, with a bit for each definition. bench.evaluation() gives the query that is timed: the
-- number of memberships of a tenant. bench.members() gives those of each segment, to be checked.

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
