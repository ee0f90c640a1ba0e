-- What the CHECKs refuse, and what they must let pass.
\ir helpers.psql
SELECT plan(99);

INSERT INTO stratum.tenants (id, name, slug) VALUES (900001, 'Check', 'pgtap-check');
INSERT INTO stratum.users (id, tenant_id, email, email_hash, password_hash)
  VALUES (900001, 900001, 'pgtap@example.com', repeat('a', 64), 'x');
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name)
  VALUES (900001, 900001, 'meta', 'pgtap', 'a', 'c');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) VALUES (900001, 900001, gen_random_uuid());
INSERT INTO stratum.cdp_events (id, tenant_id, profile_id, event_name, event_type, timestamp)
  VALUES (900001, 900001, 900001, 'Order', 'track', now());
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (900001, 900001, 's', '{}');
INSERT INTO stratum.cdp_segment_history (id, tenant_id, segment_id, profile_id, entered_at) VALUES (900001, 900001, 900001, 900001, '2026-01-02');
INSERT INTO stratum.cdp_audience_syncs (id, tenant_id, segment_id, platform, name)
  VALUES (900001, 900001, 900001, 'meta', 'a');
INSERT INTO stratum.fact_signal_health_daily (id, tenant_id, date, platform, health_score)
  VALUES (900001, 900001, '2026-01-01', 'meta', 50);
INSERT INTO stratum.fact_actions_queue (id, tenant_id, action_type, entity_type, entity_id, payload)
  VALUES (900001, 900001, 'pause_campaign', 'campaign', 1, '{}');
INSERT INTO stratum.campaign_drafts (id, tenant_id, created_by_id, name, platforms, data)
  VALUES (900001, 900001, 900001, 'd', '["meta"]', '{}');
INSERT INTO stratum.rules (id, tenant_id, name, conditions, actions) VALUES (900001, 900001, 'r', '{}', '[]');

-- One row a table is there; every test is an UPDATE of its columns.
CREATE FUNCTION pg_temp.set_row(tab text, assignment text) RETURNS text
LANGUAGE sql AS $$ SELECT format('UPDATE stratum.%I SET %s WHERE id = 900001', tab, assignment) $$;
CREATE FUNCTION pg_temp.refuses(tab text, assignment text) RETURNS text
LANGUAGE sql AS $$
  SELECT throws_ok(pg_temp.set_row(tab, assignment), '23514', NULL, format('%s: %s is refused', tab, assignment))
$$;
CREATE FUNCTION pg_temp.takes(tab text, assignment text) RETURNS text
LANGUAGE sql AS $$
  SELECT lives_ok(pg_temp.set_row(tab, assignment), format('%s: %s is taken', tab, assignment))
$$;

-- ---- scores from 0 to 100
SELECT pg_temp.refuses('fact_signal_health_daily', c || ' = ' || v)
FROM unnest(ARRAY['health_score', 'data_freshness_score', 'completeness_score', 'accuracy_score']) AS c,
     unnest(ARRAY[-1, 101]) AS v;
SELECT pg_temp.takes('fact_signal_health_daily', c || ' = ' || v)
FROM unnest(ARRAY['health_score', 'data_freshness_score', 'completeness_score', 'accuracy_score']) AS c,
     unnest(ARRAY[0, 100]) AS v;
SELECT pg_temp.takes('fact_signal_health_daily',
  'data_freshness_score = NULL, completeness_score = NULL, accuracy_score = NULL');

-- ---- the states of a signal and of an action
SELECT pg_temp.takes('fact_signal_health_daily', format('status = %L', s))
FROM unnest(ARRAY['healthy', 'degraded', 'unhealthy', NULL]) AS s;
SELECT pg_temp.refuses('fact_signal_health_daily', format('status = %L', s))
FROM unnest(ARRAY['Healthy', 'fine', '']) AS s;
SELECT lives_ok($$INSERT INTO stratum.fact_actions_queue (id, tenant_id, action_type, entity_type, entity_id, payload, status)
                  VALUES (900002, 900001, 'a', 'b', 1, '{}', 'pending'), (900003, 900001, 'a', 'b', 1, '{}', 'pending')$$, 'fact_actions_queue: pending is a state');
SELECT lives_ok(format('UPDATE stratum.fact_actions_queue SET status = %L WHERE id = %s', s, id), 'fact_actions_queue: ' || s || ' is a state')
FROM (VALUES ('approved', 900002), ('rejected', 900003), ('executed', 900002)) v (s, id);
SELECT throws_ok(format($$INSERT INTO stratum.fact_actions_queue (tenant_id, action_type, entity_type, entity_id, payload, status)
                          VALUES (900001, 'a', 'b', 1, '{}', %L)$$, s), '23514', NULL,
                 format('fact_actions_queue: %L is no state', s))
FROM unnest(ARRAY['Pending', 'done', '']) AS s;

-- ---- counts
SELECT pg_temp.refuses(t, c || ' = -1')
FROM (VALUES ('tenants', 'max_users'), ('tenants', 'max_campaigns'), ('users', 'failed_totp_attempts'),
             ('campaigns', 'impressions'), ('campaigns', 'clicks'), ('campaigns', 'conversions'),
             ('campaigns', 'targeting_age_min'), ('campaigns', 'targeting_age_max'),
             ('cdp_segments', 'profile_count'), ('cdp_audience_syncs', 'profiles_synced'),
             ('rules', 'executions_count')) AS v (t, c)
WHERE t <> 'tenants';
SELECT throws_ok('UPDATE stratum.tenants SET ' || c || ' = -1 WHERE id = 900001', '23514', NULL, 'tenants: ' || c || ' = -1 is refused')
FROM unnest(ARRAY['max_users', 'max_campaigns']) AS c;
SELECT pg_temp.takes(t, c || ' = 0')
FROM (VALUES ('users', 'failed_totp_attempts'), ('campaigns', 'impressions'), ('campaigns', 'clicks'),
             ('campaigns', 'conversions'), ('cdp_segments', 'profile_count'),
             ('cdp_audience_syncs', 'profiles_synced'), ('rules', 'executions_count')) AS v (t, c);

-- ---- an end before a start
SELECT pg_temp.refuses('campaigns', $$start_date = '2026-02-02', end_date = '2026-02-01'$$);
SELECT pg_temp.takes('campaigns', $$start_date = '2026-02-02', end_date = '2026-02-02'$$);
SELECT pg_temp.takes('campaigns', $$start_date = '2026-02-02', end_date = NULL$$);
SELECT pg_temp.takes('campaigns', $$start_date = NULL, end_date = '2026-02-01'$$);
SELECT pg_temp.refuses('cdp_segment_history', $$left_at = '2026-01-01'$$);
SELECT pg_temp.takes('cdp_segment_history', $$left_at = entered_at$$);

-- ---- hashes are 64 hex digits
SELECT pg_temp.refuses(t, format('%I = %L', c, h))
FROM (VALUES ('users', 'email_hash'), ('cdp_profiles', 'email_hash'), ('cdp_profiles', 'phone_hash')) AS v (t, c),
     unnest(ARRAY['', 'pgtap@example.com', repeat('a', 63), repeat('g', 64)]) AS h;
SELECT pg_temp.takes(t, format('%I = %L', c, repeat('0123456789abcdef', 4)))
FROM (VALUES ('users', 'email_hash'), ('cdp_profiles', 'email_hash'), ('cdp_profiles', 'phone_hash')) AS v (t, c);

-- ---- JSON null, which an ORM writes for None, in every jsonb column
SELECT pg_temp.takes(t, format($$%I = 'null'$$, c))
FROM (VALUES ('tenants', 'settings'), ('tenants', 'feature_flags'),
             ('users', 'permissions'), ('users', 'backup_codes'), ('users', 'preferences'),
             ('campaigns', 'targeting_genders'), ('campaigns', 'targeting_locations'),
             ('campaigns', 'targeting_interests'), ('campaigns', 'demographics_age'),
             ('campaigns', 'demographics_gender'), ('campaigns', 'demographics_location'),
             ('campaigns', 'labels'), ('campaigns', 'raw_data'),
             ('cdp_profiles', 'traits'), ('cdp_profiles', 'computed_traits'), ('cdp_profiles', 'consent'),
             ('cdp_events', 'properties'), ('cdp_events', 'context'),
             ('cdp_segments', 'conditions'), ('cdp_audience_syncs', 'identifier_types'),
             ('fact_signal_health_daily', 'issues'), ('fact_actions_queue', 'payload'),
             ('campaign_drafts', 'platforms'), ('campaign_drafts', 'data'),
             ('rules', 'conditions'), ('rules', 'actions'), ('rules', 'last_execution_result')) AS v (t, c);
SELECT lives_ok($$INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, old_values, new_values, metadata)
                  VALUES (900001, 'login', 'session', 'null', 'null', 'null')$$, 'audit_logs: JSON null is taken');
SELECT is(count(*), 30::bigint, 'and these are all the jsonb columns of the documented tables')
FROM information_schema.columns
WHERE table_schema = 'stratum' AND data_type = 'jsonb';

SELECT * FROM finish();
ROLLBACK;
