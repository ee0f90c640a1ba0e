-- A cheap function, operator or failing cast of the attacker's own is handed rows before the policy has looked at them.
BEGIN;
:enter;
CREATE FUNCTION pg_temp.leak(value anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', value; RETURN true; END $$;
SELECT attack.control('it is called for its own rows', count(*) = 10) FROM stratum.campaigns WHERE pg_temp.leak(name::text);
SELECT count(*) FROM stratum.campaigns c WHERE pg_temp.leak(c);
SELECT count(*) FROM stratum.cdp_profiles WHERE pg_temp.leak(traits) AND email_hash > '';
SELECT count(*) FROM stratum.cdp_segments s JOIN stratum.cdp_events e ON pg_temp.leak(s.name::text || e.event_name);
SELECT * FROM (SELECT DISTINCT name FROM stratum.campaigns OFFSET 0) s WHERE pg_temp.leak(name::text) \g /dev/null
UPDATE stratum.campaigns SET clicks = 1 WHERE pg_temp.leak(name::text);
DELETE FROM stratum.cdp_events WHERE pg_temp.leak(event_name::text) RETURNING pg_temp.leak(cdp_events);
SELECT count(*) FROM stratum.campaigns ORDER BY bool_or(pg_temp.leak(name::text));
CREATE FUNCTION pg_temp.eq(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw % and %', $1, $2; RETURN true; END $$;
CREATE OPERATOR pg_temp.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.eq, RESTRICT = eqsel, JOIN = eqjoinsel);
SELECT count(*) FROM stratum.campaigns WHERE name::text OPERATOR(pg_temp.===) 'x';
SELECT count(*) FROM stratum.cdp_profiles WHERE email::text OPERATOR(pg_temp.===) 'x' AND tenant_id IN (1, 2);
-- errors that name the value
SELECT attack.held('cast', attack.error('SELECT name::text::integer FROM stratum.campaigns WHERE tenant_id = 2') = 'no error');
SELECT attack.held('division', attack.try('SELECT 1 / (tenant_id - 2) FROM stratum.campaigns') = '10 rows');
SELECT attack.held('CASE', attack.try('SELECT CASE WHEN name LIKE ''XQ%'' THEN 1 / (tenant_id - 2) END FROM stratum.campaigns') = '10 rows');
SELECT attack.held('jsonpath', attack.error('SELECT jsonb_path_query(traits, ''strict $.none'') FROM stratum.cdp_profiles WHERE tenant_id = 2') = 'no error');
SELECT attack.held('regular expression', attack.error('SELECT FROM stratum.campaigns WHERE ''x'' ~ name AND tenant_id = 2') = 'no error');
ROLLBACK;
\if :guarded
-- a definition that raises, which is handed other people's traits
BEGIN;
:enter;
SELECT attack.held('bad definition', attack.error(format('SELECT FROM stratum.cdp_profiles WHERE stratum.segment_matches(%L, traits)', d)) NOT LIKE '%XQ%')
FROM unnest(ARRAY['{}', '{"conditions": [{"field": "trait.note", "operator": "roughly"}]}', '{"conditions": [{"field": "trait.note", "operator": "matches", "value": "("}]}']) d;
SELECT attack.held('internal predicate by hand', attack.error($$SELECT FROM stratum.cdp_profiles WHERE stratum._profile_matches('{}', '{traits}', traits)$$) NOT LIKE '%XQ%');
ROLLBACK;
\endif
