-- A tour of stratum, run by bin/demo; it works on any empty database in which you are a superuser:
--   psql -X -d scratch -f examples/demo.sql
\set QUIET 1
\set ON_ERROR_STOP 1
\pset border 1
\pset footer off
\pset null '-'
\if :{?bold} \else \set bold '' \set plain '' \endif
SET client_min_messages = warning;
SELECT current_user AS superuser \gset

\echo :bold'1. One command gives the database everything':plain
\set ECHO queries
CREATE EXTENSION stratum;

SELECT stratum.version(),
       (SELECT count(*) FROM pg_tables WHERE schemaname = 'stratum') AS tables,
       (SELECT count(*) FROM pg_policies WHERE schemaname = 'stratum') AS policies,
       (SELECT count(*) FROM stratum.check_install()) AS faults;
\set ECHO none

\echo :bold'2. An administrator makes two tenants with a user each, and a login for the application':plain
\set ECHO queries
INSERT INTO stratum.tenants (name, slug) VALUES ('Acme Outdoor', 'acme'), ('Globex Beauty', 'globex');

INSERT INTO stratum.users (tenant_id, email, password_hash, full_name, role)
SELECT t.id, u.email, 'set by the application', u.full_name, 'manager'
FROM (VALUES ('acme', ' Ann@Acme.example ', 'Ann Lee'),
             ('globex', 'gil@globex.example', 'Gil Roy')) u (slug, email, full_name)
  JOIN stratum.tenants t USING (slug);
\set ECHO none
SELECT t.id AS tenant, t.name, u.id AS "user", u.email, left(u.email_hash, 12) || '...' AS email_hash
FROM stratum.tenants t JOIN stratum.users u ON u.tenant_id = t.id ORDER BY t.id;
SELECT t.id AS acme, u.id AS ann FROM stratum.tenants t JOIN stratum.users u ON u.tenant_id = t.id WHERE t.slug = 'acme' \gset
SELECT t.id AS globex, u.id AS gil FROM stratum.tenants t JOIN stratum.users u ON u.tenant_id = t.id WHERE t.slug = 'globex' \gset

\set ECHO queries
CREATE ROLE stratum_demo LOGIN IN ROLE stratum_app;
\set ECHO none
\connect - stratum_demo
\echo

\echo :bold'3. Ann, of Acme, loads campaigns; the server computes the metrics':plain
\echo '   (ctr in per cent, money in cents, roas is a ratio; no tenant_id is given: it is the context\'s)'
\set ECHO queries
BEGIN;
\o /dev/null
SELECT stratum.enter(:acme, :ann);
\o
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, status,
                               impressions, clicks, conversions, total_spend_cents, revenue_cents)
VALUES ('meta',   'm-1', 'a-1', 'Spring tents',  'active', 2800000, 56000, 1120, 4200000, 16800000),
       ('google', 'g-1', 'a-2', 'Boots search',  'active',  640000, 25600,  768, 1920000,  4800000),
       ('tiktok', 't-1', 'a-3', 'Trail videos',  'paused', 1500000,  9000,    0,  450000,        0);
COMMIT;
\set ECHO none
BEGIN;
SELECT stratum.enter(:acme, :ann) \g /dev/null
SELECT name, platform, impressions, clicks, ctr, cpc_cents, cpm_cents, cpa_cents, roas FROM stratum.campaigns ORDER BY id;

\echo :bold'4. A segment: a definition in JSON, evaluated by the server':plain
INSERT INTO stratum.cdp_profiles (canonical_id, email, first_name, lifecycle_stage, traits, consent)
SELECT gen_random_uuid(), p.email, p.first_name, p.stage, p.traits::jsonb, '{"marketing": true}'
FROM (VALUES ('mia@example.com',  'Mia',  'customer',  '{"ltv": 920, "country": "DE", "tags": ["hiker", "vip"]}'),
             ('noah@example.com', 'Noah', 'customer',  '{"ltv": 640, "country": "FR", "tags": ["climber"]}'),
             ('ola@example.com',  'Ola',  'known',     '{"ltv": "a lot", "country": "DE"}'),
             ('pam@example.com',  'Pam',  'customer',  '{"ltv": 75, "country": "DE", "tags": ["hiker"]}'),
             ('quin@example.com', 'Quin', 'anonymous', '{}')) p (email, first_name, stage, traits);
\set ECHO queries
INSERT INTO stratum.cdp_segments (name, slug, conditions)
VALUES ('Big spenders', 'big-spenders', '
  {"logic": "and",
   "conditions": [{"field": "profile.lifecycle_stage", "operator": "equals", "value": "customer"},
                  {"field": "trait.ltv", "operator": "greater_than", "value": 500}]}');
\set ECHO none
SELECT id AS segment FROM stratum.cdp_segments \gset
\set ECHO queries

SELECT * FROM stratum.refresh_segment(:segment);

SELECT p.id, p.first_name, p.email, p.traits
FROM stratum.segment_profiles(:segment) m JOIN stratum.cdp_profiles p ON p.id = m.profile_id ORDER BY p.id;
\set ECHO none
COMMIT;

\echo '   A definition that cannot mean anything is refused when it is written:'
\set ON_ERROR_STOP 0
BEGIN;
SELECT stratum.enter(:acme, :ann) \g /dev/null
\set ECHO queries
UPDATE stratum.cdp_segments SET conditions =
  '{"conditions": [{"field": "trait.ltv", "operator": "bigger", "value": 500}]}';
\set ECHO none
ROLLBACK;
\echo

\echo :bold'5. What Gil, of Globex, sees of all that: nothing':plain
\set ECHO queries
BEGIN;
\o /dev/null
SELECT stratum.enter(:globex, :gil);
\o
SELECT (SELECT count(*) FROM stratum.campaigns) AS campaigns,
       (SELECT count(*) FROM stratum.cdp_profiles) AS profiles,
       (SELECT count(*) FROM stratum.cdp_segments) AS segments,
       (SELECT string_agg(name, ', ') FROM stratum.tenants) AS tenants,
       (SELECT count(*) FROM stratum.row_history('stratum.campaigns', '1')) AS history;

INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name)
VALUES (:acme, 'meta', 'x', 'x', 'planted');
ROLLBACK;
\set ECHO none
\echo '   And without a tenant, or with one that was only claimed:'
\set ECHO queries
SELECT count(*) AS campaigns FROM stratum.campaigns;

SET stratum.tenant_id = 1;
\set ECHO none
\set ON_ERROR_STOP 1
\echo

\echo :bold'6. A change, and its trail':plain
\set ECHO queries
BEGIN;
\o /dev/null
SELECT stratum.enter(:acme, :ann, request_id => 'req-42', ip_address => '192.0.2.7');
\o
UPDATE stratum.campaigns SET clicks = 42000, status = 'paused' WHERE external_id = 'm-1';
COMMIT;
\set ECHO none
BEGIN;
SELECT stratum.enter(:acme, :ann) \g /dev/null
SELECT id AS campaign FROM stratum.campaigns WHERE external_id = 'm-1' \gset
SELECT a.action, u.full_name AS who, host(a.ip_address) AS "from", a.request_id, c.key AS "column",
       a.old_values -> c.key AS old, c.value AS new
FROM stratum.audit_logs a LEFT JOIN stratum.users u ON u.id = a.user_id, jsonb_each(a.new_values) c
WHERE a.resource_type = 'campaigns' AND a.resource_id = :'campaign' AND a.action = 'update' AND c.key <> 'updated_at'
ORDER BY a.id, c.key;
SELECT action, resource_type, count(*) FROM stratum.audit_logs GROUP BY action, resource_type ORDER BY 2, 1;
\echo '   Nobody rewrites it:'
\set ON_ERROR_STOP 0
\set ECHO queries
DELETE FROM stratum.audit_logs;
\set ECHO none
ROLLBACK;
\echo
\echo :bold'The reference is in doc/reference/; more examples are in examples/.':plain
\connect - :superuser
DROP ROLE stratum_demo;
