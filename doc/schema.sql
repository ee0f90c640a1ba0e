-- Prints schema.md from the catalog of a database that has stratum:
--   psql -XqAt -d DATABASE -f doc/schema.sql > doc/schema.md
-- A test compares the two, so the page cannot drift from what is installed.
\set ON_ERROR_STOP on
SET search_path = pg_catalog, pg_temp;

\qecho '# Schema'
\qecho
\qecho 'The tables of schema `stratum`, as `CREATE EXTENSION stratum` builds them. This page is printed by `doc/schema.sql`; the'
\qecho 'same words are the comments of the objects (`\\d+` in psql).'
\qecho
\qecho '- Amounts of money are whole cents of the row''s `currency`; `ctr` is per cent, `roas` a ratio.'
\qecho '- *Kept by stratum* means: set by a trigger; what an UPDATE puts there is replaced, and in the metrics of `campaigns`'
\qecho '  what an INSERT puts there too.'
\qecho '- An explicit NULL on INSERT counts as "not given" in `tenant_id` and in every column with a default, as ORMs list all'
\qecho '  columns. JSON `null` is taken in every `jsonb` column.'
\qecho '- Every table that a tenant can read is isolated by `tenant_id`, `tenants` by `id`: see [tenancy](reference/tenancy.md).'
\qecho '  `tenant_id` is NULL for the platform''s own rows, which no tenant sees.'

\qecho
\qecho '## Types'
\qecho
\qecho '| type | labels, in order | meaning |'
\qecho '|---|---|---|'
SELECT format('| `%s` | %s | %s |', t.typname,
              (SELECT string_agg('`' || enumlabel || '`', ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
              obj_description(t.oid, 'pg_type'))
FROM pg_type t WHERE t.typnamespace = 'stratum'::regnamespace AND t.typtype = 'e' ORDER BY t.typname;

CREATE TEMP VIEW part (relation, chapter, line, text) AS
  SELECT c.oid, 1, 0, format(E'\n## %s\n\n%s\n\n| column | type | default | meaning |\n|---|---|---|---|',
                             c.relname, obj_description(c.oid, 'pg_class'))
  FROM pg_class c WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'p')
  UNION ALL
  SELECT a.attrelid, 2, a.attnum,
         format('| `%s` | %s%s | %s | %s |', a.attname,
                replace(replace(replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar'),
                                'timestamp with time zone', 'timestamptz'), 'stratum.', ''),
                CASE WHEN a.attnotnull THEN ', not null' ELSE '' END,
                CASE WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN 'serial'
                     ELSE '`' || regexp_replace(pg_get_expr(d.adbin, d.adrelid), '^(''.*'')::.*$', '\1') || '`' END,
                col_description(a.attrelid, a.attnum))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT k.conrelid, 3, row_number() OVER (PARTITION BY k.conrelid ORDER BY strpos('pufc', k.contype::text), k.conname),
         format('%s- `%s`: `%s`',
                CASE WHEN row_number() OVER (PARTITION BY k.conrelid ORDER BY strpos('pufc', k.contype::text), k.conname) = 1
                     THEN E'\nKeys and checks:\n\n' ELSE '' END,
                k.conname, replace(pg_get_constraintdef(k.oid, true), 'stratum.', ''))
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = 'stratum'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')
  UNION ALL
  SELECT i.indrelid, 4, row_number() OVER (PARTITION BY i.indrelid ORDER BY c.relname),
         format('%s- `%s`: `%s`. %s',
                CASE WHEN row_number() OVER (PARTITION BY i.indrelid ORDER BY c.relname) = 1
                     THEN E'\nIndexes besides those of the keys:\n\n' ELSE '' END,
                c.relname,
                replace(regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX \S+ ON \S+ USING ', '\1'), 'stratum.', ''),
                obj_description(c.oid, 'pg_class'))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE c.relnamespace = 'stratum'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'));

-- The order in which the schema is usually told; a table that is not named here comes last.
SELECT p.text FROM part p JOIN pg_class c ON c.oid = p.relation
LEFT JOIN unnest(ARRAY['tenants', 'users', 'campaigns', 'cdp_profiles', 'cdp_events', 'cdp_segments',
                       'cdp_segment_memberships', 'cdp_audience_syncs', 'fact_signal_health_daily',
                       'fact_actions_queue', 'tenant_platform_connections', 'campaign_drafts', 'rules',
                       'audit_logs']) WITH ORDINALITY AS o (name, place) ON o.name = c.relname
ORDER BY o.place NULLS LAST, c.relname, p.chapter, p.line;
