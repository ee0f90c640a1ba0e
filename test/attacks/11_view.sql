-- A view that runs with its owner's rights. All that may be read are read.
BEGIN;
:enter;
SELECT attack.control('there is a view to read', count(*) > 0) FROM pg_class c
WHERE c.relkind IN ('v', 'm') AND c.relnamespace IN ('stratum'::regnamespace, 'public'::regnamespace) AND has_table_privilege(c.oid, 'SELECT');
SELECT format('SELECT attack.held(%L, NOT EXISTS (SELECT FROM %s v WHERE v::text LIKE ''%%XQSECRETQX%%''))', c.oid::regclass, c.oid::regclass)
FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace IN ('stratum'::regnamespace, 'public'::regnamespace) AND has_table_privilege(c.oid, 'SELECT') \gexec
SELECT format('SELECT * FROM %s', c.oid::regclass)
FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace IN ('stratum'::regnamespace, 'public'::regnamespace) AND has_table_privilege(c.oid, 'SELECT') \gexec
-- one of his own
CREATE TEMP VIEW mine AS SELECT * FROM stratum.cdp_profiles;
SELECT attack.held('a view of his own', count(*) = 1) FROM mine;
ROLLBACK;
