-- Whoever listens hears every tenant's notifications. Two sessions.
SELECT format('LISTEN %I', c) FROM unnest('{stratum,stratum_actions,stratum_campaigns,stratum_cdp_profiles,stratum_audit_logs,stratum_segments,campaigns,actions}'::text[]) c \gexec
\set answer `as app "BEGIN; SELECT stratum.enter(2); UPDATE stratum.campaigns SET clicks = 5 WHERE id = 200; INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash, traits) VALUES (gen_random_uuid(), 'XQSECRETQX@x.test', repeat('2', 64), '{}'); ROLLBACK"`
\set answer `as app "NOTIFY stratum, 'heard'; BEGIN; SELECT stratum.enter(2); UPDATE stratum.campaigns SET name = name WHERE id = 200 RETURNING id; COMMIT"`
SELECT attack.held('the victim wrote', :'answer' LIKE '%200%');
SELECT attack.control('he listens', count(*) > 0) FROM pg_listening_channels();
SELECT 1;
