-- Sessions of another login: what they do, and ending them. Those of the same login are seen and may be ended: documented.
-- They sleep until the database is dropped.
\! (as app "SELECT 'XQSECRETQX', pg_sleep(300)" >/dev/null 2>&1 &)
\! (as mallory "SELECT 'of the same login', pg_sleep(300)" >/dev/null 2>&1 &)
\set answer `as postgres "DO \$\$ BEGIN FOR i IN 1 .. 3000 LOOP EXIT WHEN (SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)' AND state = 'active' AND pid <> pg_backend_pid()) = 2; PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot(); END LOOP; END \$\$; SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%XQSECRETQX%pg_sleep(300)' AND state = 'active'"`
SELECT attack.control('the victim is at work', :'answer' = '1');
BEGIN;
:enter;
SELECT * FROM pg_stat_activity WHERE usename = 'app';
SELECT attack.held('pg_terminate_backend', attack.try(format('SELECT pg_terminate_backend(%s)', pid)) = '42501') FROM pg_stat_activity WHERE usename = 'app';
SELECT attack.held('pg_cancel_backend', attack.try(format('SELECT pg_cancel_backend(%s)', pid)) = '42501') FROM pg_stat_activity WHERE usename = 'app';
SELECT attack.held('pg_log_backend_memory_contexts', attack.try(format('SELECT pg_log_backend_memory_contexts(%s)', pid)) = '42501') FROM pg_stat_activity WHERE usename = 'app';
SELECT attack.known('Same login, same role', count(*) > 0) FROM pg_stat_activity WHERE query LIKE '%of the same login%' AND pid <> pg_backend_pid();
COMMIT;
