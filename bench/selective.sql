-- The selective segments of the sections index and tenant, with the SQL that one writes by hand.
CREATE OR REPLACE FUNCTION bench.selective_segments() RETURNS TABLE (name text, conditions text, sql text, contains text)
  LANGUAGE sql STABLE AS $$
  SELECT size,
         format('{"conditions": [{"field": "trait.%s", "operator": "equals", "value": "%s"},
                                 {"field": "trait.ltv", "operator": "greater_than", "value": 0}]}', trait, value),
         format($sql$ traits->>%L = %L AND (traits->>'ltv')::numeric > 0 $sql$, trait, value),
         format($sql$ traits @> %L AND (traits->>'ltv')::numeric > 0 $sql$, jsonb_build_object(trait, value))
  FROM (VALUES ('0.1 %', 'cohort', 'c17'), ('1 %', 'store', 's17'), ('10 %', 'plan', 'enterprise')) s (size, trait, value)
  UNION ALL
  SELECT '0.4 %, or',
         '{"logic": "or", "conditions": [{"field": "trait.cohort", "operator": "in", "value": ["c17", "c18", "c19"]},
                                         {"field": "trait.cohort", "operator": "equals", "value": "c21"}]}',
         $sql$ (traits->>'cohort' IN ('c17', 'c18', 'c19') OR traits->>'cohort' = 'c21') $sql$,
         $sql$ (traits @> '{"cohort": "c17"}' OR traits @> '{"cohort": "c18"}'
                OR traits @> '{"cohort": "c19"}' OR traits @> '{"cohort": "c21"}') $sql$
$$;
