-- Traces are wiped, or laid.
BEGIN;
:enter;
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'traced', 'acc', 'Traced');
UPDATE stratum.cdp_profiles SET traits = '{"ltv": 5}' WHERE id = 100;
SELECT attack.control('what he did is in the trail', count(*) >= 2) FROM stratum.audit_logs WHERE tenant_id = 1;
SELECT attack.held('UPDATE', attack.try('UPDATE stratum.audit_logs SET metadata = ''{}''') NOT LIKE '% rows');
SELECT attack.held('DELETE', attack.try('DELETE FROM stratum.audit_logs') NOT LIKE '% rows');
SELECT attack.held('TRUNCATE', attack.try('TRUNCATE stratum.audit_logs') NOT LIKE '% rows');
SELECT attack.held('forged change', attack.try($$INSERT INTO stratum.audit_logs (action, resource_type, resource_id) VALUES ('update', 'campaigns', '100')$$) NOT LIKE '% rows');
SELECT attack.held('for the victim', attack.try($$INSERT INTO stratum.audit_logs (tenant_id, action, resource_type) VALUES (2, 'login', 'x')$$) = '42501'
  OR NOT EXISTS (SELECT FROM stratum.audit_logs WHERE tenant_id = 2));
SELECT attack.held('backdated', attack.try($$INSERT INTO stratum.audit_logs (action, resource_type, created_at) VALUES ('login', 'backdated', '2001-01-01')$$) <> '1 rows'
  OR NOT EXISTS (SELECT FROM stratum.audit_logs WHERE created_at < '2002-01-01'));
SELECT attack.held('as another user', attack.try($$INSERT INTO stratum.audit_logs (action, resource_type, user_id) VALUES ('login', 'framed', 200)$$) <> '1 rows'
  OR NOT EXISTS (SELECT FROM stratum.audit_logs WHERE user_id = 200));
SELECT attack.held('the triggers taken off', attack.try('ALTER TABLE stratum.campaigns DISABLE TRIGGER ALL') = '42501' AND attack.try('DROP TRIGGER zz_stratum_audit ON stratum.campaigns') IN ('42501', '42704'));
COMMIT;
-- a trail of his own takes the entries
SET search_path = pg_temp, stratum;
CREATE TEMP TABLE audit_logs (LIKE stratum.audit_logs INCLUDING DEFAULTS);
BEGIN;
:enter;
UPDATE stratum.campaigns SET name = 'Hidden' WHERE id = 101;
SELECT attack.held('a table that shadows the log', count(*) = 0) FROM pg_temp.audit_logs;
COMMIT;
\c - postgres
SELECT attack.control('the trail has it', count(*) = 1) FROM stratum.audit_logs WHERE resource_id = '101' AND action = 'update' AND tenant_id = 1;
