-- What entering a tenant costs a request, and whether 10,000 tenants that take turns on one session cost more.
--
--   set_config   what is mostly seen: set_config('app.tenant_id', ..., true), and '' afterwards. Nothing is looked up, and any
--                SQL can say the same
--   looked_up    the same after two queries: is the tenant there and not deleted, is the user its own and active
--   enter        stratum.enter(tenant, user), then leave()
--   enter_jwt    stratum.enter_jwt(token), then leave(): signature, times, audience, and the same look-ups
--
-- Fair: a thousand requests in one PL/pgSQL loop each, the same tenant and user; each counts how often the tenant was the
-- right one. What an empty loop takes is in all of them.
\echo
\echo '== context: a thousand requests'
INSERT INTO stratum.tenants (id, name, slug) SELECT 100000 + g, 'Bench ' || g, 'bench-context-' || g FROM generate_series(1, 10000) g;
INSERT INTO stratum.users (id, tenant_id, email, password_hash, role)
  SELECT 100000 + g, 100000 + g, 'u' || g || '@bench.test', 'x', 'admin' FROM generate_series(1, 10000) g;
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name)
  SELECT 100000 + g, 'meta', 'bench', 'a', 'C' || g FROM generate_series(1, 10000) g;
VACUUM (FREEZE, ANALYZE) stratum.tenants, stratum.users, stratum.campaigns;
SELECT stratum.add_jwt_key('bench', sha256('bench'), 'bench') \g /dev/null

CREATE FUNCTION bench.token() RETURNS text LANGUAGE sql AS $$
  SELECT signed || '.' || translate(encode(hmac(signed::bytea, sha256('bench'), 'sha256'), 'base64'), E'+/=\n', '-_')
  FROM (SELECT string_agg(translate(encode(part::bytea, 'base64'), E'+/=\n', '-_'), '.') AS signed
        FROM (VALUES ('{"alg":"HS256","kid":"bench"}'), ('{"exp":4700000000,"aud":"bench","tenant_id":100007,"user_id":100007}')) p (part)) s
$$;
CREATE FUNCTION bench.requests(kind text, count integer DEFAULT 1000) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  right_ones bigint := 0;
  token text := bench.token();
BEGIN
  IF kind = 'enter' THEN
    FOR i IN 1 .. count LOOP
      PERFORM stratum.enter(100007, 100007);
      IF stratum.current_tenant_id() = 100007 THEN right_ones := right_ones + 1; END IF;
      PERFORM stratum.leave();
    END LOOP;
  ELSIF kind = 'enter_jwt' THEN
    FOR i IN 1 .. count LOOP
      PERFORM stratum.enter_jwt(token);
      IF stratum.current_tenant_id() = 100007 THEN right_ones := right_ones + 1; END IF;
      PERFORM stratum.leave();
    END LOOP;
  ELSE
    FOR i IN 1 .. count LOOP
      IF kind = 'looked_up' THEN
        PERFORM 1 FROM stratum.tenants t WHERE t.id = 100007 AND NOT t.is_deleted;
        PERFORM 1 FROM stratum.users u WHERE u.id = 100007 AND u.tenant_id = 100007 AND u.is_active AND NOT u.is_deleted;
      END IF;
      PERFORM set_config('app.tenant_id', '100007', true);
      IF current_setting('app.tenant_id') = '100007' THEN right_ones := right_ones + 1; END IF;
      PERFORM set_config('app.tenant_id', '', true);
    END LOOP;
  END IF;
  RETURN right_ones;
END $$;
INSERT INTO bench.contestants (section, item, contestant, statement)
SELECT 'context', 'a thousand requests', kind, format('SELECT bench.requests(%L)', kind)
FROM unnest('{set_config,looked_up,enter,enter_jwt}'::text[]) WITH ORDINALITY k (kind, place) ORDER BY place;
CALL bench.run('context', :rounds);
\set section context
\set baseline looked_up
\set plans false
\ir report.sql

-- Of 200 times a hundred requests the least: whatever else the machine does meets the others.
CREATE FUNCTION bench.least(kind text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  least_time double precision := 'infinity';
BEGIN
  FOR i IN 1 .. 200 LOOP
    least_time := least(least_time, bench.milliseconds(format('SELECT bench.requests(%L, 100)', kind)));
  END LOOP;
  RETURN least_time * 10;
END $$;
\echo 'Microseconds a request, with the question for the tenant in between and the loop around it'
SELECT contestant, bench.rounded(ms) AS median, bench.rounded(bench.least(contestant)) AS least
FROM bench.results WHERE section = 'context' ORDER BY place;

-- Under row security, a transaction each; the first round warms up. Growth is that of the session's memory contexts.
CREATE TABLE bench.turns (round integer, transactions integer, wrong integer, microseconds double precision, kilobytes bigint);
CREATE PROCEDURE bench.take_turns(rounds integer) LANGUAGE plpgsql AS $$
DECLARE
  wrong integer;
  found text;
  started timestamptz;
BEGIN
  FOR round IN 0 .. rounds LOOP
    wrong := 0;
    started := clock_timestamp();
    FOR tenant IN 100001 .. 110000 LOOP
      PERFORM stratum.enter(tenant, tenant);
      SET LOCAL ROLE stratum_app;
      SELECT string_agg(name, ',') INTO found FROM stratum.campaigns;
      IF found IS DISTINCT FROM 'C' || tenant - 100000 THEN wrong := wrong + 1; END IF;
      COMMIT;
    END LOOP;
    INSERT INTO bench.turns
    SELECT round, 10000, wrong, 100 * extract(epoch FROM clock_timestamp() - started), sum(total_bytes) / 1024 FROM pg_backend_memory_contexts;
    COMMIT;
  END LOOP;
END $$;
CALL bench.take_turns(:rounds);
\echo '10,000 tenants take turns on one session: each enters, reads its campaign and commits'
SELECT sum(transactions) FILTER (WHERE round > 0) AS transactions, sum(wrong) AS "wrong rows",
       bench.rounded(percentile_cont(0.5) WITHIN GROUP (ORDER BY microseconds) FILTER (WHERE round > 0)) AS "microseconds each (median)",
       max(kilobytes) - min(kilobytes) FILTER (WHERE round = 0) AS "growth, kB"
FROM bench.turns;
DELETE FROM stratum.campaigns WHERE tenant_id > 100000;
