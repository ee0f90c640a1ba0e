-- COPY in all its forms.
BEGIN;
:enter;
COPY stratum.campaigns TO STDOUT;
COPY (SELECT * FROM stratum.cdp_profiles) TO STDOUT;
COPY (TABLE stratum.cdp_events) TO STDOUT (FORMAT csv);
COPY (UPDATE stratum.campaigns SET clicks = 3 WHERE tenant_id = 2 RETURNING *) TO STDOUT;
SELECT attack.held('to a file', attack.try('COPY stratum.campaigns TO ''/tmp/stratum_attack''') = '42501');
SELECT attack.held('to a program', attack.try('COPY stratum.campaigns TO PROGRAM ''cat''') = '42501');
SELECT attack.held('from a file', attack.try('COPY stratum.campaigns FROM ''/etc/passwd''') IN ('42501', '0A000'));
SELECT attack.control('its own rows are copied', attack.try('COPY (SELECT * FROM stratum.campaigns) TO ''/tmp/x''') = '42501' AND (SELECT count(*) FROM stratum.campaigns) = 10);
COPY stratum.campaigns (tenant_id, platform, external_id, account_id, name) FROM STDIN;
2	meta	copied	acc	planted
\.
ROLLBACK;
BEGIN;
:enter;
-- the way that the README shows
CREATE TEMP TABLE staged (external_id text, name text);
COPY staged FROM STDIN;
new1	New
\.
SELECT attack.control('staged rows go in', attack.try('INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT ''meta'', external_id, ''acc'', name FROM staged') = '1 rows');
ROLLBACK;
