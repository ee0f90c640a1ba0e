-- The application has locked the session to tenant 1; the attacker, who has the next statements, wants out.
\c - mallory
SELECT stratum.enter_session(1, NULL, 'the-application''s-own-token-1234567890');
SELECT attack.control('the session acts for its tenant without more', count(*) = 10) FROM stratum.campaigns;
CREATE FUNCTION pg_temp.looks() RETURNS bigint LANGUAGE plpgsql AS
  $$ BEGIN RETURN (SELECT count(*) FROM stratum.cdp_profiles WHERE tenant_id = 2); EXCEPTION WHEN OTHERS THEN RETURN 0; END $$;
SELECT attack.held('enter(2)', attack.try('SELECT stratum.enter(2)') <> '1 rows' AND pg_temp.looks() = 0);
BEGIN; SELECT stratum.leave(); SELECT stratum.enter(2); SELECT * FROM stratum.cdp_profiles; COMMIT;
BEGIN; SELECT stratum.enter(2); SELECT * FROM stratum.cdp_profiles; COMMIT;
SELECT attack.held(coalesce(token, 'NULL') || ' as the token', attack.try(format('SELECT stratum.leave_session(%L)', token)) <> '1 rows' AND pg_temp.looks() = 0)
FROM unnest('{NULL,"",guess,the-application''s-own-token-123456789}'::text[]) token;
SELECT attack.held('a lock over the lock', attack.try('SELECT stratum.enter_session(2, NULL, ''my-own-token-my-own-token-my-own-token'')') <> '1 rows');
SELECT stratum.enter_session(2, NULL, 'my-own-token-my-own-token-my-own-token');
SELECT * FROM stratum.cdp_profiles;
-- DISCARD ALL and RESET ALL close it: no rows, and no enter() until the token is shown again
RESET ALL;
SELECT attack.held('RESET ALL', pg_temp.looks() = 0);
BEGIN; SELECT stratum.enter(2); SELECT * FROM stratum.cdp_profiles; COMMIT;
DISCARD ALL;
BEGIN; SELECT stratum.enter(2); SELECT * FROM stratum.cdp_profiles; COMMIT;
SELECT stratum.enter_session(2, NULL, 'my-own-token-my-own-token-my-own-token');
SELECT * FROM stratum.cdp_profiles;
SELECT attack.held('DISCARD ALL', count(*) = 0) FROM stratum.cdp_profiles WHERE tenant_id = 2;
