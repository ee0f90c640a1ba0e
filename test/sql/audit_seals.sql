-- seal_audit(), verify_audit(), audit_head(): what a chain of seals finds.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug, max_campaigns) VALUES (7561, 'Seal East', 'seal-east', 10000), (7562, 'Seal West', 'seal-west', 50), (7563, 'Seal New', 'seal-new', 50);
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (7561, 7561, 'ann@seal.test', 'x');
CREATE ROLE regress_seal_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_seal_auditor LOGIN IN ROLE stratum_auditor;
CREATE ROLE regress_seal_admin LOGIN IN ROLE stratum_admin;
BEGIN;
SELECT stratum.enter(7561, 7561, 'req-1', '192.0.2.1', 'agent/1');
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, labels, raw_data)
  SELECT 'meta', 'c' || n, 'a', repeat('näme ', 1 + n % 7), jsonb_build_array(n, n / 7.0), jsonb_build_object('n', n, 't', repeat(md5(n::text), n % 90))
  FROM generate_series(1, 2500) n;
SELECT stratum.log_event('login', 'session', 's-1') > 0 AS logged;
COMMIT;
BEGIN;
SELECT stratum.enter(7562);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT 'meta', 'c' || n, 'a', 'west' FROM generate_series(1, 10) n;
COMMIT;

-- nothing is sealed yet: no head
SELECT * FROM stratum.audit_head(7561);
SELECT stratum.seal_audit(7561) = (SELECT count(*) FROM stratum.audit_logs WHERE tenant_id = 7561) AS all_rows;
SELECT stratum.seal_audit(7561) AS again;
SELECT number, row_count, cardinality(log_ids) AS ids, length(digests) AS digests, length(salts) AS salts, tenant_id FROM stratum.audit_seals WHERE tenant_id = 7561 ORDER BY number;
SELECT * FROM stratum.verify_audit(7561);
SELECT * FROM stratum.verify_audit(7562);
SELECT * FROM stratum.verify_audit(7563);
-- rows of no tenant: a chain of their own
SELECT stratum.log_event('login', 'session') > 0 AS logged;
SELECT stratum.seal_audit(NULL) > 0 AS sealed;
SELECT count(*) AS unsealed FROM stratum.audit_logs l WHERE tenant_id IS NULL AND NOT EXISTS (SELECT FROM stratum.audit_seals s WHERE s.tenant_id IS NULL AND l.id = ANY (s.log_ids));
SELECT * FROM stratum.verify_audit(NULL);
SELECT h.number = (SELECT max(number) FROM stratum.audit_seals WHERE tenant_id = 7561) AS last, length(h.digest), h.sealed_at <= clock_timestamp() AS past FROM stratum.audit_head(7561) h;
SELECT digest AS head FROM stratum.audit_head(7561) \gset
SELECT * FROM stratum.verify_audit(7561, :'head');
SELECT * FROM stratum.verify_audit(7561, upper(:'head'));
SELECT * FROM stratum.verify_audit(7562, :'head');
\set VERBOSITY default
SELECT * FROM stratum.verify_audit(7561, 'abc');
SELECT * FROM stratum.verify_audit(7499);
SELECT stratum.seal_audit(7499);
\set VERBOSITY terse

-- The digests as the documentation describes them, computed by other means.
CREATE FUNCTION pg_temp.field(value text) RETURNS bytea LANGUAGE sql IMMUTABLE
  AS $$ SELECT CASE WHEN value IS NULL THEN '\x00' ELSE '\x01'::bytea || int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8') END $$;
CREATE FUNCTION pg_temp.micros(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS $$ SELECT ((extract(epoch FROM at) - 946684800) * 1000000)::bigint $$;
CREATE FUNCTION pg_temp.digest(l stratum.audit_logs, salt bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(
    sha256(pg_temp.field(l.id::text) || pg_temp.field(l.tenant_id::text) || pg_temp.field(l.user_id::text) || pg_temp.field(l.action::text) || pg_temp.field(l.resource_type)
           || pg_temp.field(l.resource_id) || pg_temp.field(l.request_id) || pg_temp.field(pg_temp.micros(l.created_at)::text))
    || sha256(salt || pg_temp.field(l.old_values::text) || pg_temp.field(l.new_values::text) || pg_temp.field(l.metadata::text)
              || pg_temp.field(l.ip_address::text) || pg_temp.field(l.user_agent))) $$;
SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Kolkata';
SELECT count(*), bool_and(pg_temp.digest(l, substr(s.salts, 16 * k.n::integer - 15, 16)) = substr(s.digests, 32 * k.n::integer - 31, 32)) AS rows_are_right,
       bool_and(l.created_at = s.logged_at[k.n]) AS times_are_right
FROM stratum.audit_seals s CROSS JOIN LATERAL unnest(s.log_ids) WITH ORDINALITY k (id, n) JOIN stratum.audit_logs l ON l.id = k.id
WHERE s.tenant_id = 7561;
SELECT number,
       content = (SELECT sha256(string_agg(int8send(id) || int8send(pg_temp.micros(logged_at[n])) || substr(digests, 32 * n::integer - 31, 32), '' ORDER BY n))
                  FROM unnest(log_ids) WITH ORDINALITY k (id, n)) AS content,
       digest = sha256(int8send(tenant_id) || int8send(number) || int8send(pg_temp.micros(sealed_at)) || int8send(settled_id) || int8send(row_count)
                       || int8send(last_id) || int8send(pg_temp.micros(newest_at)) || previous || content) AS digest,
       previous = lag(digest, 1, decode(repeat('00', 32), 'hex')) OVER (ORDER BY number) AS previous
FROM stratum.audit_seals WHERE tenant_id = 7561 ORDER BY number;
SELECT * FROM stratum.verify_audit(7561, :'head');
RESET DateStyle; RESET TimeZone;

-- Tampering, as the owner with triggers off. What a statement leads verify_audit() to say; then everything is undone.
CREATE FUNCTION pg_temp.found(statement text, head text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  SET LOCAL session_replication_role = replica;
  EXECUTE statement;
  SET LOCAL session_replication_role = origin;
  SELECT count(*) || coalesce(': ' || (array_agg(concat_ws(' ', CASE WHEN v.id IS NOT NULL THEN 'a row' END, v.problem) ORDER BY v.id NULLS LAST))[1], '') INTO result
  FROM stratum.verify_audit(7561, head) v;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN sqlerrm;
END $$;
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
SELECT min(id) + 700 AS one, min(id) + 1500 AS other, max(id) AS last FROM stratum.audit_logs WHERE tenant_id = 7561 \gset
SELECT s.statement, pg_temp.found(replace(s.statement, 'ONE', :'one'))
FROM (VALUES
  (1, 'UPDATE stratum.audit_logs SET id = -5 WHERE id = ONE'),
  (2, 'UPDATE stratum.audit_logs SET id = 2000000000 WHERE id = ONE'),
  (3, 'UPDATE stratum.audit_logs SET tenant_id = 7562 WHERE id = ONE'),
  (4, 'UPDATE stratum.audit_logs SET tenant_id = NULL WHERE id = ONE'),
  (5, 'UPDATE stratum.audit_logs SET user_id = NULL WHERE id = ONE'),
  (6, 'UPDATE stratum.audit_logs SET action = ''update'' WHERE id = ONE'),
  (7, 'UPDATE stratum.audit_logs SET resource_type = ''rules'' WHERE id = ONE'),
  (8, 'UPDATE stratum.audit_logs SET resource_id = resource_id || '' '' WHERE id = ONE'),
  (9, 'UPDATE stratum.audit_logs SET old_values = ''null'' WHERE id = ONE'),
  (10, 'UPDATE stratum.audit_logs SET new_values = jsonb_set(new_values, ''{name}'', ''"other"'') WHERE id = ONE'),
  (11, 'UPDATE stratum.audit_logs SET new_values = new_values - ''name'' WHERE id = ONE'),
  (12, 'UPDATE stratum.audit_logs SET metadata = NULL WHERE id = ONE'),
  (13, 'UPDATE stratum.audit_logs SET ip_address = ''192.0.2.1/24'' WHERE id = ONE'),
  (14, 'UPDATE stratum.audit_logs SET user_agent = ''agent/2'' WHERE id = ONE'),
  (15, 'UPDATE stratum.audit_logs SET request_id = user_agent, user_agent = request_id WHERE id = ONE'),
  (16, 'UPDATE stratum.audit_logs SET created_at = created_at + interval ''1 microsecond'' WHERE id = ONE'),
  (17, 'UPDATE stratum.audit_logs SET created_at = NULL WHERE id = ONE'),
  (18, 'DELETE FROM stratum.audit_logs WHERE id = ONE'),
  (19, 'DELETE FROM stratum.audit_logs WHERE tenant_id = 7561'),
  (20, 'TRUNCATE stratum.audit_logs'),
  (21, 'UPDATE stratum.audit_logs SET user_agent = user_agent WHERE tenant_id = 7561')) s (n, statement)
ORDER BY s.n;
-- two rows change their places
SELECT pg_temp.found(format('UPDATE stratum.audit_logs SET id = -1 WHERE id = %s; UPDATE stratum.audit_logs SET id = %1$s WHERE id = %s; UPDATE stratum.audit_logs SET id = %2$s WHERE id = -1', :one, :other));
-- a row more: in a gap, before the first, with an id that the sequence has not reached
SELECT pg_temp.found(format('DELETE FROM stratum.audit_logs WHERE id = %s; INSERT INTO stratum.audit_logs (id, tenant_id, action, resource_type) VALUES (%1$s, 7561, ''login'', ''session'')', :one));
SELECT nextval('stratum.audit_logs_id_seq') AS gap, stratum.seal_audit(7561) AS sealed \gset
SELECT pg_temp.found(format('INSERT INTO stratum.audit_logs (id, tenant_id, action, resource_type, created_at) VALUES (%s, 7561, ''create'', ''campaigns'', ''2020-01-01'')', :gap)) AS in_a_gap,
       pg_temp.found('INSERT INTO stratum.audit_logs (id, tenant_id, action, resource_type) VALUES (0, 7561, ''create'', ''campaigns'')') AS before_the_first;
-- every column of 1,000 random rows, a byte each
CREATE TEMP TABLE kept AS SELECT * FROM stratum.audit_logs WHERE tenant_id = 7561 ORDER BY md5(id::text) LIMIT 1000;
CREATE FUNCTION pg_temp.flip(row_id bigint, col text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE byte integer := row_id % 251;
BEGIN
  EXECUTE format('UPDATE stratum.audit_logs SET %I = %s WHERE id = $1', col, CASE
    WHEN col IN ('tenant_id', 'user_id') THEN format('coalesce(%I, 0) # (1 << (%s %% 30))', col, byte)
    WHEN col = 'action' THEN '(CASE action WHEN ''create'' THEN ''update'' ELSE ''create'' END)::stratum.audit_action'
    WHEN col = 'created_at' THEN format('created_at + make_interval(secs => 1e-6 * (1 << (%s %% 20)))', byte)
    WHEN col IN ('old_values', 'new_values') THEN format($f$CASE WHEN %1$I IS NULL THEN '{}' ELSE %1$I || jsonb_build_object('name', overlay(coalesce(%1$I ->> 'name', '?') placing '~' from 1 for 1)) END$f$, col)
    WHEN col = 'metadata' THEN $f$metadata || '{"": null}'$f$
    WHEN col = 'ip_address' THEN format('coalesce(ip_address, ''::1'') + (1 << (%s %% 7))', byte)
    ELSE format('CASE WHEN length(%1$I) > 0 THEN overlay(%1$I placing chr(ascii(substr(%1$I, 1 + %2$s %% length(%1$I), 1)) # 1) from 1 + %2$s %% length(%1$I) for 1) ELSE ''?'' END', col, byte) END) USING row_id;
  RETURN true;
END $$;
CREATE FUNCTION pg_temp.undetected(col text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  SET LOCAL session_replication_role = replica;
  PERFORM pg_temp.flip(k.id, col) FROM kept k;
  SELECT format('%s tampered with, %s found, %s others', count(*) FILTER (WHERE k.id IS NOT NULL), count(DISTINCT v.id) FILTER (WHERE k.id IS NOT NULL AND v.problem = 'was changed'), count(*) FILTER (WHERE k.id IS NULL)) INTO result
  FROM kept k FULL JOIN stratum.verify_audit(7561) v ON v.id = k.id;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN sqlerrm;
END $$;
SELECT c.name, pg_temp.undetected(c.name)
FROM unnest('{tenant_id,user_id,action,resource_type,resource_id,old_values,new_values,metadata,ip_address,user_agent,request_id,created_at}'::text[]) WITH ORDINALITY c (name, n) ORDER BY c.n;
-- the tail: rows, rows and seals, rows and seals and the chain's own row
SELECT pg_temp.found('DELETE FROM stratum.audit_logs WHERE id IN (SELECT unnest(log_ids) FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 3)') AS rows,
       pg_temp.found('DELETE FROM stratum.audit_logs WHERE id IN (SELECT unnest(log_ids) FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 3); DELETE FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 3') AS and_seals;
\set all 'DELETE FROM stratum.audit_logs WHERE id IN (SELECT unnest(log_ids) FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 3); DELETE FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 3; UPDATE stratum.audit_chains SET last_number = 2, last_digest = (SELECT digest FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 2) WHERE tenant_id = 7561'
-- the last needs a head that was kept elsewhere
SELECT pg_temp.found(:'all') AS without, pg_temp.found(:'all', :'head') AS with_head;
-- the seals themselves
SELECT s.statement, pg_temp.found('UPDATE stratum.audit_seals SET ' || s.statement || ' WHERE tenant_id = 7561 AND number = 2')
FROM (VALUES (1, 'number = 9'), (2, 'tenant_id = 7562'), (3, 'sealed_at = sealed_at + interval ''1 second'''), (4, 'settled_id = settled_id + 1'), (5, 'row_count = row_count - 1'),
             (6, 'row_count = 2000000'), (7, 'last_id = last_id + 1'), (8, 'newest_at = now()'), (9, 'previous = digest'), (10, 'content = ''\x00'''), (11, 'digest = previous'),
             (12, 'log_ids = log_ids[2:]'), (13, 'log_ids[5] = 7'), (14, 'logged_at[5] = now()'), (15, 'log_ids = NULL'), (16, 'digests = set_byte(digests, 40, get_byte(digests, 40) # 1)'),
             (17, 'digests = ''\x'''), (18, 'salts = set_byte(salts, 40, get_byte(salts, 40) # 1)'), (19, 'salts = decode(repeat(''00'', length(salts)), ''hex'')'), (20, 'salts = NULL'),
             (21, 'log_ids = NULL, logged_at = NULL, digests = NULL, salts = NULL'), (22, 'log_ids = ARRAY[log_ids, log_ids]'), (23, 'log_ids[3] = NULL')) s (n, statement)
ORDER BY s.n;
SELECT pg_temp.found('DELETE FROM stratum.audit_seals WHERE tenant_id = 7561 AND number = 1') AS first_gone, pg_temp.found('DELETE FROM stratum.audit_chains WHERE tenant_id = 7561') AS chain_gone,
       pg_temp.found('DELETE FROM stratum.audit_chains WHERE tenant_id = 7561; UPDATE stratum.audit_logs SET id = 2000000000 WHERE id = ' || :last) AS and_a_row_new;
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
SELECT * FROM stratum.verify_audit(7561, :'head');

-- Entries about the trail itself are the library's own: nobody else says that something was purged or erased.
BEGIN; SELECT stratum.enter(7561); SELECT stratum.log_event('anonymize', 'audit_logs', NULL, '{"erased": {}}'); ROLLBACK;
BEGIN; SELECT stratum.enter(7561); SELECT stratum.log_event('delete', 'audit_logs'); ROLLBACK;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type) VALUES (7561, 'anonymize', 'audit_logs');

-- who may: a tenant its own, an auditor every one
SET ROLE regress_seal_app;
SELECT stratum.seal_audit(7561);
SELECT * FROM stratum.verify_audit(NULL);
SELECT * FROM stratum.audit_head(7561);
BEGIN;
SELECT stratum.enter(7561);
SELECT stratum.seal_audit(7561), (SELECT number > 2 FROM stratum.audit_head(7561)) AS head;
SELECT * FROM stratum.verify_audit(7561);
SAVEPOINT a;
SELECT * FROM stratum.verify_audit(7562); ROLLBACK TO a;
SELECT * FROM stratum._verify_any_audit(7562, NULL); ROLLBACK TO a;
SELECT count(*) FROM stratum.audit_seals; ROLLBACK TO a;
SELECT count(*) FROM stratum.audit_chains; ROLLBACK TO a;
COMMIT;
CALL stratum.seal_all_audit();
SET ROLE regress_seal_auditor;
SELECT stratum.seal_audit(7562), (SELECT number FROM stratum.audit_head(7562)) AS head;
SELECT * FROM stratum.verify_audit(7562);
SELECT * FROM stratum.verify_audit(NULL);
SELECT count(*) > 0 AS seals FROM stratum.audit_seals;
UPDATE stratum.audit_seals SET number = 1;
DELETE FROM stratum.audit_chains;
SET ROLE regress_seal_admin;
SELECT count(*) > 0 AS seals FROM stratum.audit_seals;
DELETE FROM stratum.audit_seals;
CALL stratum.seal_all_audit();
SELECT count(*) AS chains_unsealed FROM stratum.tenants t WHERE NOT EXISTS (SELECT FROM stratum.audit_chains c WHERE c.tenant_id = t.id);
RESET ROLE;
-- nothing can be written: what is sealed is verified all the same
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (7562, 'meta', 'late', 'a', 'late');
BEGIN READ ONLY;
SELECT * FROM stratum.verify_audit(7562);
SELECT stratum.seal_audit(7562);
ROLLBACK;
-- own changes of the same transaction are sealed with it
BEGIN;
UPDATE stratum.campaigns SET name = 'later' WHERE tenant_id = 7562 AND external_id = 'late';
SELECT stratum.seal_audit(7562);
SAVEPOINT a;
UPDATE stratum.campaigns SET name = 'latest' WHERE tenant_id = 7562 AND external_id = 'late';
SELECT stratum.seal_audit(7562);
ROLLBACK TO a;
UPDATE stratum.campaigns SET name = 'last' WHERE tenant_id = 7562 AND external_id = 'late';
SELECT * FROM stratum.verify_audit(7562);
COMMIT;
SELECT * FROM stratum.verify_audit(7562);
-- a table that was never analyzed: sealing a new row does not read the whole trail of the tenant
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name)
SELECT 7562, 'meta', 'trail ' || i, 'a', 'trail' FROM generate_series(1, 2000) i;
SELECT stratum.seal_audit(7562) >= 2000 AS sealed;
SELECT stratum.seal_audit(7562);
UPDATE stratum.campaigns SET name = 'newer' WHERE tenant_id = 7562 AND external_id = 'trail 1';
SELECT pg_stat_force_next_flush() \g /dev/null
BEGIN;
DELETE FROM pg_statistic WHERE starelid = 'stratum.audit_logs'::regclass;
UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'stratum.audit_logs'::regclass;
SELECT stratum.seal_audit(7562);
SELECT sum(pg_stat_get_xact_tuples_returned(i.indexrelid) + pg_stat_get_xact_tuples_fetched(i.indrelid)) < 200 AS few_read
FROM pg_partition_tree('stratum.audit_logs') t FULL JOIN (SELECT 'stratum.audit_logs'::regclass) l (relid) USING (relid)
  JOIN pg_index i ON i.indrelid = relid;
ROLLBACK;
-- a sequence that keeps numbers for later: nothing settles, everything is found all the same
ALTER SEQUENCE stratum.audit_logs_id_seq CACHE 10;
UPDATE stratum.campaigns SET name = 'first' WHERE tenant_id = 7562 AND external_id = 'late';
SELECT settled_id AS settled FROM stratum.audit_chains WHERE tenant_id = 7562 \gset
SELECT stratum.seal_audit(7562), (SELECT settled_id = :settled FROM stratum.audit_chains WHERE tenant_id = 7562) AS unsettled;
SELECT * FROM stratum.verify_audit(7562);
ALTER SEQUENCE stratum.audit_logs_id_seq CACHE 1;
DROP ROLE regress_seal_app, regress_seal_auditor, regress_seal_admin;
