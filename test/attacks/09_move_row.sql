-- A row is given to another tenant, or to none, by every statement that can change one.
BEGIN;
:enter;
SELECT attack.held(t || ' to ' || coalesce(n, 'nobody'), attack.try(format('UPDATE stratum.%I SET tenant_id = %s WHERE id BETWEEN 100 AND 109', t, coalesce(n, 'NULL'))) NOT LIKE '% rows')
FROM unnest('{users,campaigns,cdp_profiles,cdp_events,cdp_segments}'::text[]) t, unnest('{2,NULL}'::text[]) n;
SELECT attack.held('MERGE updates', attack.try('MERGE INTO stratum.campaigns c USING (VALUES (100)) v (id) ON c.id = v.id WHEN MATCHED THEN UPDATE SET tenant_id = 2') NOT LIKE '% rows');
SELECT attack.held('MERGE inserts', attack.try($$MERGE INTO stratum.campaigns c USING (VALUES (9999)) v (id) ON c.id = v.id
  WHEN NOT MATCHED THEN INSERT (tenant_id, platform, external_id, account_id, name) VALUES (2, 'meta', 'n', 'a', 'n')$$) NOT LIKE '% rows');
SELECT attack.held('MERGE matches rows of the victim', attack.try('MERGE INTO stratum.campaigns c USING (VALUES (200)) v (id) ON c.id = v.id WHEN MATCHED THEN DELETE') = '0 rows');
SELECT attack.held('upsert', attack.try($$INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'ext1', 'a', 'n')
  ON CONFLICT (tenant_id, platform, external_id) DO UPDATE SET tenant_id = 2$$) NOT LIKE '% rows');
SELECT attack.held('INSERT for the victim', attack.try($$INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (2, 'meta', 'n', 'a', 'n')$$) = '42501');
SELECT attack.held('UPDATE of the victim''s', attack.try('UPDATE stratum.campaigns SET tenant_id = 1 WHERE tenant_id = 2') = '0 rows');
SELECT attack.control('an update that lists it unchanged is fine', attack.try('UPDATE stratum.campaigns SET tenant_id = 1, name = ''n'' WHERE id = 100') = '1 rows');
COMMIT;
