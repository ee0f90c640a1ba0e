-- Nobody has been entered: no rows are seen, changed or written, not for a named tenant either.
\c - mallory
SELECT attack.held(t || ' ' || verb, attack.try(format(statement, t)) IN ('0 rows', '42501', '23502'))
FROM unnest('{tenants,users,campaigns,cdp_profiles,cdp_events,cdp_segments,cdp_audience_syncs,audit_logs}'::text[]) t,
     (VALUES ('SELECT', 'SELECT * FROM stratum.%I WHERE id > 0'), ('UPDATE', 'UPDATE stratum.%I SET id = id'),
             ('DELETE', 'DELETE FROM stratum.%I'), ('FOR UPDATE', 'SELECT * FROM stratum.%I FOR UPDATE')) v (verb, statement);
SELECT attack.held('INSERT for ' || coalesce(t, 'nobody'),
  attack.try(format('INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (%s, ''meta'', ''x'', ''a'', ''n'')', coalesce(t, 'NULL'))) = '42501')
FROM unnest('{1,2,NULL}'::text[]) t;
SELECT attack.held('COPY', attack.try('COPY stratum.campaigns TO ''/tmp/x''') = '42501');
COPY stratum.campaigns TO STDOUT;
BEGIN;
SELECT stratum.enter(1);
SELECT attack.control('with one there are rows', count(*) = 10) FROM stratum.campaigns;
SELECT attack.control('and writes', attack.try('INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES (''meta'', ''x'', ''a'', ''n'')') = '1 rows');
ROLLBACK;
SELECT attack.held('and none once it is over', count(*) = 0) FROM stratum.campaigns;
