--
-- Random definitions for the property test, the same for the same seed:  \set seed 0.42  before
-- \ir generate.sql (between -1 and 1). Needs oracle.sql. What they are asked about: generate_subjects.sql.
--
-- Profiles and definitions draw from the same small pools of values, so that a condition is about
-- as often true as false, and the pools are full of near misses: values of another type, texts
-- that are almost numbers or times, letters in another case.
--
\if :{?seed}
\else
	\set seed 0.42
\endif

-- ---- chance -------------------------------------------------------------------------------------

CREATE FUNCTION oracle.chance(p float8) RETURNS boolean
LANGUAGE sql VOLATILE AS $$ SELECT random() < p $$;

CREATE FUNCTION oracle.below(n int) RETURNS int
LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;

CREATE FUNCTION oracle.pick(list jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$ SELECT list -> oracle.below(jsonb_array_length(list)) $$;

CREATE FUNCTION oracle.mangle_case(s text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN CASE oracle.below(4) WHEN 0 THEN upper(s COLLATE "C") WHEN 1 THEN lower(s COLLATE "C")
		WHEN 2 THEN upper(left(s, 1) COLLATE "C") || substr(s, 2) ELSE s END;
END $$;

-- ---- pools --------------------------------------------------------------------------------------

-- use: 'value' may stand in a profile and in a definition, 'data' in a profile only, as a
-- definition would be refused for it by some operator.
CREATE TABLE oracle.pool (
	kind text NOT NULL,
	use text NOT NULL,
	entries jsonb NOT NULL,
	PRIMARY KEY (kind, use)
);

INSERT INTO oracle.pool VALUES
	('number', 'value', jsonb_build_array(
		5, 100, 500, '100', '500.0', 1, 0, 1.0, -3.5, 42, 99.99, '0.1'::numeric, '-0.0'::numeric,
		'500', '500.0', '1e2', '100', '-3.5', '-0', '0.10', '5E0', '50e-1', '1E+2',
		'1e400'::numeric, '1e-400'::numeric, '-1e400'::numeric, '123456789012345678901234567890.5'::numeric,
		'123456789012345678901234567890.5', '123456789012345678901234567890.50', '9007199254740993'::numeric,
		'9007199254740992'::numeric, '1e1000', '1e-1000', '-1e1000', '1e0400',
		repeat('9', 1000), repeat('9', 1000)::numeric, '0.' || repeat('0', 998) || '1',
		'-' || repeat('9', 1000), '99999999999999999999999999999999', '2147483648'::numeric)),
	('number', 'data', jsonb_build_array(
		'1e1001', '-1e1001', '1e-1001', repeat('9', 1001), '0.' || repeat('1', 1000), '1e99999999999999999999',
		'1e2147483648', '9' || repeat('0', 5000), ('9' || repeat('0', 3000))::numeric,
		' 5', '5 ', '+5', '05', '.5', '5.', '0x10', '1e', '1e+', '--5', '1_000', '1,000', '5a', '5 6', '-', 'e5',
		'NaN', 'Infinity', '-Infinity', 'n/a', '', '٥', '５', E'5\n', '١٠٠')),

	-- alike in their first 12 digits, or in their first three of base 10000, or next to each other in these
	('close', 'value', '[123456789012.0001, 123456789012.0002, 123456789012, 123456789012.00005, "123456789012.00010", "123456789012.0002",
		-123456789012.0001, -123456789012.0002, "-123456789012", "-123456789012.00010", 123456789013, 123456789011.9999, 12345678901200000001,
		12345678901200000002, "12345678901200000001.0", -12345678901200000001, 1.000000000001, 1.0000000000011, "1.00000000000110", 1, 0,
		0.0000000000001, 0.00000000000011, "1.1e-13", -0.0000000000001, 1e-30, 1.00000000000000001e-30, "1e-30", -1e-30, 1e300,
		1.0000000000000001e300, "1e300", -1e300, "-1.0000000000000001e300", 99999999999999999999, 99999999999999999998, 10000, 100000000,
		9999.9999, 0.0001, 0.00010001, "0.000100010", 1.00000000000000000000000000000000000001, 1.00000000000000000000000000000000000002,
		29000, 29001, 30000, 30001, -29000, -30000, 2.9, 3, 2.9001, 3.0001, "29999", "2.90010", 8192, 1.8192, 10000.8192, 20000.0001]'),

	('text', 'value', jsonb_build_array(
		'soft', 'Soft Launch', 'SOFTWARE', 'straße', 'STRASSE', 'soft', 'microsoft', 'Launch', 'US', 'us', 'Us', 'DE',
		'', ' ', 'Straße', 'É', 'é', E'e\u0301', 'Ärger', 'ärger', 'ÄRGER', 'ångström',
		'日本語テキスト', '日本', 'Привет', 'ПРИВЕТ', 'K', E'\u212A', 'ſoft', 'İstanbul', 'istanbul', 'ISTANBUL',
		'😀', '😀 smile', 'a%b_c', 'axb', '%', '_', E'back\\slash', 'quo"te', E'two\nlines', E'tab\t', '1', '100', 'true',
		'null', '2024-01-15', '@[`{', '@[`z', repeat('long ', 700) || 'End', repeat('LONG ', 700) || 'eND')),

	('list', 'value', jsonb_build_array(
		'["vip", "beta", "x"]'::jsonb, '["vip"]'::jsonb, '["VIP", "beta", null, 1]'::jsonb, '[1, 2, 3]'::jsonb, '["x", "vip", 1.0]'::jsonb,
		'[]'::jsonb, '["VIP"]'::jsonb, '["Beta"]'::jsonb, '[1.0, "1", 2]'::jsonb, '["1", "2"]'::jsonb, '[null]'::jsonb, '[null, "vip", null]'::jsonb,
		'[true, false]'::jsonb, '[["vip"], "beta"]'::jsonb, '[{"a": 1}, {"a": "vip"}]'::jsonb, '[[], {}]'::jsonb,
		'["É", "é", "straße"]'::jsonb, '["", " "]'::jsonb, '[1e400, 1e-400, -0, "x"]'::jsonb, '["x", "X", 1, null, true, [1], {"a": 1.0}]'::jsonb,
		(SELECT jsonb_agg(n) FROM generate_series(4, 300) n) || '["vip", 2.0]', (SELECT jsonb_agg('tag ' || n) FROM generate_series(1, 100) n) || '["X"]')),
	('element', 'value', jsonb_build_array(
		'vip', 'VIP', 'beta', 'x', 1, 2, 'ViP', 'Beta', 'X', 'É', 'é', '', 1.0, '1', '2', 3, true, false,
		'["vip"]'::jsonb, '["VIP"]'::jsonb, '{"a": 1}'::jsonb, '{"a": 1.00}'::jsonb, '{"a": "VIP"}'::jsonb, '[]'::jsonb, '{}'::jsonb,
		'1e400'::numeric, 0, '[1]'::jsonb)),

	('time', 'value', jsonb_build_array(
		'2024-01-15', '2024-01-15T00:00:00Z', '2024-01-15T00:00:00', '2024-01-15 00:00', '2024-01-15T02:00:00+02:00',
		'2024-01-15t00:00:00.000000z', '2024-01-14T19:00-0500', '2024-01-14 19:00:00-05', '2024-01-15T05:30+0530',
		'2024-01-15T00:00:00.0000004Z', '2024-01-14T23:59:60Z', '2024-01-14T24:00:00Z', '2024-01-14T23:59:59.9999999',
		'2024-01-15T00:00:00.000001Z', '2024-01-14T23:59:59.999999+00', '2024-01-15T00:00:00-00:00', '2024-02-29', '2000-02-29',
		'2023-12-31T23:59:59.5Z', '2024-01-01', '2023-12-31T10:00:00-14:00', '2024-01-01T15:59+15:59', '1969-12-31T23:59:59.999999Z',
		'1970-01-01', '0001-01-01', '0001-01-01T00:00:00+15:59', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59-15:59',
		'2024-03-31T02:30:00', '2024-06-15T12:34:56.123456+02:00', '2024-06-15T10:34:56.1234561Z', '2024-06-15 10:34:56.123456',
		'2024-06-15T10:34:56.123Z')),
	('time', 'data', jsonb_build_array(
		'2024-02-30', '2023-02-29', '1900-02-29', '2024-13-01T00:00:00Z', '2024-00-10', '2024-01-00', '0000-01-01',
		' 2024-01-15', '2024-01-15 ', E'2024-01-15\n', '2024-1-5', '20240115', '24-01-15', '2024-01', '2024', '2024-01-15T', '2024-01-15T10',
		'2024-01-15T10:00:00+16:00', '2024-01-15T10:00:00+15:60', '2024-01-15T10:00:00+', '2024-01-15T10:00:00+5',
		'2024-01-15T10:00:00+05:3', '2024-01-15T10:00:00+05:30:00', '2024-01-15T25:00:00Z', '2024-01-15T24:00:01', '2024-01-15T24:01', '2024-01-15T12:60',
		'2024-01-15T12:00:61', '2024-01-15T12:00:00.', '2024-01-15T12:00:00,5', '2024-01-15T12:00.5', '2024-01-15T1:00', '2024-01-15T10:00:00 Z',
		'2024-01-15Z', '2024-01-15+02:00', '2024-01-15  10:00', '2024-01-15T10:00:00ZZ', '2024-01-15T10:00:00z+02:00', '2024-01-15T10:0:00',
		'2024-W03-1', '2024-015', '-2024-01-15', '+2024-01-15', '12024-01-15', '10000-01-01', '2024/01/15', '15.01.2024', 'Jan 15 2024', '2024-Jan-15',
		'now', 'today', 'tomorrow', 'infinity', '-infinity', 'epoch', 'allballs', '２０２４-01-15', '2024-01-15T10:00:00 BC', '2024-01-15T10:00 PM',
		'2024-01-15T10:00:00 Europe/Berlin', '1705276800', '2024-01-15x', 'x2024-01-15', '2024-01-15T10:00:00.123456789012345678901234567890x')),

	('boolean', 'value', '[true, false]'),
	('boolean', 'data', '["true", "false", "yes", 1, 0, "", "TRUE"]'),
	('object', 'value', '[{}, {"a": 1}, {"a": 1.0}, {"a": "1"}, {"A": 1}, {"a": null}, {"a": [1, 2]}, {"a": [2, 1]},
		{"b": {"c": "x"}, "a": 1}, {"a": 1, "b": {"c": "X"}}, [], [1], [[1]], [1.00]]'),
	('junk', 'value', '[0, 1, 5, 100, "100", "soft", "", true, false, [], ["soft"], [5], [100], {}, {"v": 5}, {"city": 1},
		"2024-01-15", 1705276800, "vip", [null], {"": ""}]'),
	('pattern', 'value', jsonb_build_array(
		'soft', '(?i)SOFT', '^[A-Z]', 'a', '', '^$', '^s', 'e$', '^.{2}$', '^[a-z]+$', '^\w+$', '[0-9]', '\d{3}', '\yst', '\mLaunch\M', 'ß', 'É|é',
		'[äöü]', '(?i)ä', '日本', '[[:upper:]]{2}', '[^[:alnum:]]', '%', '\\', E'two\nlines', '(?n)^lines$', 'o.l', '(?p)o.l', '^(US|DE|meta|active)$', '(?:a+)+$',
		'(long ){3,}', '^([^ ]+ ){1,200}', 'x{2}|s{2}', '\u00e9', '[\u0400-\u04ff]', '(?i)k', '^2024-0[1-6]', '^\d{4}-\d\d-\d\dT', 'Z$', '[+-]\d\d:?\d\d$',
		'.*?so+?f??t', '(?#what)U(?#it)S', '[]]', '[^]a-z]', '[[=a=]]', '\s', '\S\s\S', '^(?:active|paused)$', 'n|t')),
	('count', 'value', '[0, 1, 2, 3, 4, "2", 1.5, 0.0, -1]'),
	('email', 'value', '["anna@example.com", "", "Anna@Example.COM", "müller@example.de", "bob@example.org"]'),
	('stage', 'value', '["anonymous", "known", "Customer", "customer", "churned"]'),
	('identity', 'value', '["100", "", "abc", "1e2", "ABC", "99.5", "x-1"]'),
	('platform', 'value', '["meta", "google", "tiktok", "snapchat", "Meta"]'),
	('status', 'value', '["draft", "active", "paused", "completed", "archived", "ACTIVE"]'),
	('metric', 'value', '[0, 1, 10, 100, 250, 1000, 2800, 56000, 2147483647, "100", 99.5]'),
	('cents', 'value', '[0, 0.01, 1, 1.5, 12.34, 99.99, 100, 250, 1000.05, "12.34", 21474836.47]'),
	('rate', 'value', '[0, 0.12345, 1.98765, 9.87654, 33.21987, 76.54321, 199.98765, "1.98765"]');

-- Times about now, for within_last; both edges of a window to the microsecond.
CREATE FUNCTION oracle.recent_time(back_only boolean) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	days float8 := (ARRAY[0, 0.5, 1, 2, 3, 7, 7, 14, 30, 30, 90, 365])[1 + oracle.below(12)];
	edge text := (ARRAY['0', '0', '1 microsecond', '-1 microsecond', '3 hours', '-3 hours'])[1 + oracle.below(6)];
	sign int := CASE WHEN back_only OR oracle.chance(0.85) THEN -1 ELSE 1 END;
BEGIN
	RETURN now() + sign * (days * 86400) * interval '1 second' + edge::interval;
END $$;

CREATE FUNCTION oracle.iso(t timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	minutes int := (ARRAY[0, 0, 120, -330, 345, -720, 840])[1 + oracle.below(7)];
	there timestamp := t AT TIME ZONE 'UTC' + minutes * interval '1 minute';
BEGIN
	RETURN CASE oracle.below(4)
		WHEN 0 THEN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
		WHEN 1 THEN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
		ELSE to_char(there, 'YYYY-MM-DD"T"HH24:MI:SS.US') || CASE WHEN minutes < 0 THEN '-' ELSE '+' END
			|| lpad((abs(minutes) / 60)::text, 2, '0') || (ARRAY[':', ''])[1 + oracle.below(2)]
			|| lpad((abs(minutes) % 60)::text, 2, '0') END;
END $$;

-- A value that a definition may name.
CREATE FUNCTION oracle.named_value(of_kind text, first float8 DEFAULT 0.5) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	entries jsonb;
BEGIN
	IF of_kind = 'time' AND oracle.chance(0.4) THEN
		RETURN to_jsonb(oracle.iso(oracle.recent_time(false)));
	END IF;
	SELECT p.entries INTO entries FROM oracle.pool p WHERE p.kind = of_kind AND p.use = 'value';
	-- The first four of a pool come up more often, so that equal values meet.
	RETURN entries -> oracle.below(CASE WHEN oracle.chance(first) THEN least(4, jsonb_array_length(entries)) ELSE jsonb_array_length(entries) END);
END $$;

-- A value that a profile may hold: right, nearly right, of another kind, or JSON null.
CREATE FUNCTION oracle.held_value(of_kind text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	dice float8 := random();
	near jsonb := (SELECT p.entries FROM oracle.pool p WHERE p.kind = of_kind AND p.use = 'data');
BEGIN
	IF dice < 0.05 THEN
		RETURN 'null';
	ELSIF dice < 0.10 THEN
		RETURN oracle.named_value('junk');
	ELSIF dice < (CASE of_kind WHEN 'time' THEN 0.40 ELSE 0.22 END) AND near IS NOT NULL THEN
		RETURN oracle.pick(near);
	END IF;
	RETURN oracle.named_value(of_kind, CASE of_kind WHEN 'time' THEN 0.3 ELSE 0.75 END);
END $$;

-- ---- fields -------------------------------------------------------------------------------------

CREATE TABLE oracle.field (
	id serial PRIMARY KEY,
	target text NOT NULL,
	source text NOT NULL,			-- the column that holds it, event, or identifier
	keys text[] NOT NULL,			-- of the whole field
	kind text NOT NULL,
	pool text NOT NULL
);

INSERT INTO oracle.field (target, source, keys, kind, pool) VALUES
	('profile', 'traits', '{trait,ltv}', 'number', 'number'),
	('profile', 'traits', '{trait,score}', 'number', 'number'),
	('profile', 'traits', '{trait,stats,orders}', 'number', 'number'),
	('profile', 'traits', '{trait,a.b,c}', 'number', 'number'),
	('profile', 'traits', '{trait,"",n}', 'number', 'number'),
	('profile', 'traits', '{trait,größe}', 'number', 'number'),
	('profile', 'traits', '{trait,exact}', 'number', 'close'),
	('profile', 'traits', '{trait,name}', 'text', 'text'),
	('profile', 'traits', '{trait,Name}', 'text', 'text'),
	('profile', 'traits', '{trait,country}', 'text', 'text'),
	('profile', 'traits', '{trait,address,city}', 'text', 'text'),
	('profile', 'traits', '{trait,address,"naïve.key",deep,deeper}', 'text', 'text'),
	('profile', 'traits', '{trait,日本,"a b"}', 'text', 'text'),
	('profile', 'traits', '{trait,tags}', 'list', 'list'),
	('profile', 'traits', '{trait,address,codes}', 'list', 'list'),
	('profile', 'traits', '{trait,tags,0}', 'text', 'element'),
	('profile', 'traits', '{trait,signup}', 'time', 'time'),
	('profile', 'traits', '{trait,last,seen}', 'time', 'time'),
	('profile', 'traits', '{trait,last,"due.at"}', 'time', 'time'),
	('profile', 'traits', '{trait,vip}', 'boolean', 'boolean'),
	('profile', 'traits', '{trait,flags,beta}', 'boolean', 'boolean'),
	('profile', 'traits', '{trait,address}', 'object', 'object'),
	('profile', 'traits', '{trait,extra}', 'object', 'object'),
	('profile', 'traits', '{trait,"",""}', 'object', 'object'),
	('profile', 'computed_traits', '{computed,rfm,score}', 'number', 'number'),
	('profile', 'computed_traits', '{computed,exact}', 'number', 'close'),
	('profile', 'computed_traits', '{computed,tier}', 'text', 'text'),
	('profile', 'computed_traits', '{computed,seen}', 'time', 'time'),
	('profile', 'computed_traits', '{computed,tags}', 'list', 'list'),
	('profile', 'consent', '{consent,marketing}', 'boolean', 'boolean'),
	('profile', 'consent', '{consent,email,at}', 'time', 'time'),
	('profile', 'consent', '{consent,version}', 'number', 'number'),
	('profile', 'column', '{profile,lifecycle_stage}', 'text', 'stage'),
	('profile', 'column', '{profile,email}', 'text', 'email'),
	('profile', 'column', '{profile,external_id}', 'text', 'identity'),
	('profile', 'column', '{profile,first_name}', 'text', 'text'),
	('profile', 'column', '{profile,id}', 'number column', 'number'),
	('profile', 'column', '{profile,first_seen_at}', 'time column', 'time'),
	('profile', 'column', '{profile,last_seen_at}', 'time column', 'time'),
	('profile', 'column', '{profile,created_at}', 'time column', 'time'),
	('profile', 'identifier', '{identifier,email}', 'boolean', 'boolean'),
	('profile', 'identifier', '{identifier,phone}', 'boolean', 'boolean'),
	('profile', 'identifier', '{identifier,external_id}', 'boolean', 'boolean'),
	('profile', 'identifier', '{identifier,anonymous_id}', 'boolean', 'boolean'),
	('profile', 'event', '{event,purchase,count}', 'number', 'count'),
	('profile', 'event', '{event,purchase,exists}', 'boolean', 'boolean'),
	('profile', 'event', '{event,purchase,first}', 'time column', 'time'),
	('profile', 'event', '{event,purchase,last}', 'time column', 'time'),
	('profile', 'event', '{event,purchase,property,amount}', 'number', 'number'),
	('profile', 'event', '{event,purchase,property,item,"s.k.u"}', 'text', 'text'),
	('profile', 'event', '{event,"page.view",count}', 'number', 'count'),
	('profile', 'event', '{event,"page.view",property,tags}', 'list', 'list'),
	('profile', 'event', '{event,Ünïcode Evènt,exists}', 'boolean', 'boolean'),
	('profile', 'event', '{event,Purchase,count}', 'number', 'count'),
	('profile', 'event', '{event,never happens,last}', 'time column', 'time'),
	('profile', 'event', '{event,never happens,count}', 'number', 'count'),
	('campaign', 'column', '{campaign,platform}', 'text', 'platform'),
	('campaign', 'column', '{status}', 'text', 'status'),
	('campaign', 'column', '{campaign,name}', 'text', 'text'),
	('campaign', 'column', '{objective}', 'text', 'text'),
	('campaign', 'column', '{external_id}', 'text', 'identity'),
	('campaign', 'column', '{campaign,impressions}', 'number column', 'metric'),
	('campaign', 'column', '{clicks}', 'number column', 'metric'),
	('campaign', 'column', '{conversions}', 'number column', 'metric'),
	('campaign', 'column', '{campaign,total_spend_cents}', 'number column', 'metric'),
	('campaign', 'column', '{daily_budget_cents}', 'number column', 'metric'),
	('campaign', 'column', '{ctr}', 'number column', 'rate'),
	('campaign', 'column', '{roas}', 'number column', 'rate'),
	('campaign', 'column', '{start_date}', 'time column', 'time'),
	('campaign', 'column', '{campaign,end_date}', 'time column', 'time'),
	('campaign', 'column', '{last_synced_at}', 'time column', 'time'),
	('campaign', 'column', '{labels}', 'list column', 'list'),
	('campaign', 'column', '{targeting_locations}', 'list column', 'list'),
	('campaign', 'column', '{is_deleted}', 'boolean column', 'boolean'),
	('campaign', 'derived', '{spend}', 'number column', 'cents'),
	('campaign', 'derived', '{revenue}', 'number column', 'cents'),
	('campaign', 'derived', '{cpc}', 'number column', 'cents'),
	('campaign', 'derived', '{cpm}', 'number column', 'cents'),
	('campaign', 'derived', '{cpa}', 'number column', 'cents'),
	('campaign', 'derived', '{conversion_rate}', 'rate', 'rate');

-- A dotted string where no key needs more, else an array; sometimes an array all the same.
CREATE FUNCTION oracle.written_field(keys text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF EXISTS (SELECT FROM unnest(keys) k WHERE k = '' OR strpos(k, '.') > 0)
		OR (cardinality(keys) > 1 AND oracle.chance(0.15)) THEN
		RETURN to_jsonb(keys);
	END IF;
	RETURN to_jsonb(array_to_string(keys, '.'));
END $$;

-- ---- definitions --------------------------------------------------------------------------------

CREATE TABLE oracle.operator (
	name text PRIMARY KEY,
	kinds text[] NOT NULL			-- of the fields it is meant for
);
INSERT INTO oracle.operator VALUES
	('equals', '{number,text,list,time,boolean,object,number column,time column,boolean column}'),
	('not_equals', '{number,text,list,time,boolean,object,number column,time column,boolean column}'),
	('contains', '{text,text,list,list column}'),
	('not_contains', '{text,text,list,list column}'),
	('starts_with', '{text}'),
	('ends_with', '{text}'),
	('greater_than', '{number,number column,time column,rate}'),
	('less_than', '{number,number column,time column,rate}'),
	('greater_or_equal', '{number,number column,time column,rate}'),
	('less_or_equal', '{number,number column,time column,rate}'),
	('gte', '{number,number column,time column,rate}'),
	('lte', '{number,number column,time column,rate}'),
	('between', '{number,number column,time column,rate}'),
	('in', '{number,text,list,object,boolean,time column,number column}'),
	('not_in', '{number,text,list,object,boolean,time column,number column}'),
	('is_null', '{number,text,list,time,boolean,object,time column,number column,list column,rate}'),
	('is_not_null', '{number,text,list,time,boolean,object,time column,number column,list column,rate}'),
	('before', '{time,time column}'),
	('after', '{time,time column}'),
	('within_last', '{time,time column}'),
	('not_within_last', '{time,time column}'),
	('within_next', '{time,time column}'),
	('anniversary_within', '{time,time column}'),
	('matches', '{text,text,time}'),
	('in_sample', '{number,text,time,boolean,list,number column,time column,boolean column}'),
	('contains_any', '{list,list column}'),
	('contains_all', '{list,list column}');

-- A piece of a text of the pool, in another letter case.
CREATE FUNCTION oracle.random_piece(pool text, operator text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	v jsonb := oracle.named_value(pool);
	s text := v #>> '{}';
	n int;
BEGIN
	IF jsonb_typeof(v) <> 'string' THEN
		s := 'so';
	END IF;
	n := 1 + oracle.below(3);
	RETURN to_jsonb(oracle.mangle_case(CASE
		WHEN oracle.chance(0.05) THEN ''
		WHEN oracle.chance(0.1) THEN s
		WHEN operator = 'starts_with' THEN left(s, n)
		WHEN operator = 'ends_with' THEN right(s, n)
		ELSE substr(s, 1 + oracle.below(greatest(length(s), 1)), 1 + oracle.below(2)) END));
END $$;

CREATE FUNCTION oracle.random_list(pool text, at_most int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	list jsonb := '[]';
BEGIN
	FOR i IN 1 .. oracle.below(at_most + 1) LOOP
		list := list || jsonb_build_array(oracle.named_value(pool));
	END LOOP;
	RETURN list;
END $$;

-- n numbers, and as many strings.
CREATE FUNCTION oracle.long_list(n int) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$ SELECT jsonb_agg(i) || jsonb_agg(i::text) FROM generate_series(1, n) i $$;

CREATE FUNCTION oracle.random_value(operator text, field oracle.field) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	timed boolean := field.kind = 'time column';
	-- an operator may meet a field of another kind; its value must still be one it takes
	numbers text := CASE WHEN timed THEN 'time' WHEN field.pool IN ('number', 'close', 'count', 'metric', 'cents', 'rate') THEN field.pool ELSE 'number' END;
	pool text := CASE WHEN NOT timed AND oracle.chance(0.1) THEN 'junk' ELSE field.pool END;
	a jsonb;
	b jsonb;
BEGIN
	CASE operator
		WHEN 'equals', 'not_equals' THEN
			RETURN CASE WHEN NOT timed AND oracle.chance(0.03) THEN 'null' ELSE oracle.named_value(pool) END;
		WHEN 'in', 'not_in' THEN
			a := oracle.random_list(field.pool, 12);
			IF NOT timed AND oracle.chance(0.3) THEN
				a := a || oracle.random_list('junk', 2);
			END IF;
			IF NOT timed AND oracle.chance(0.1) THEN
				a := a || oracle.long_list((ARRAY[400, 512, 513])[1 + oracle.below(3)]);
			END IF;
			RETURN CASE WHEN NOT timed AND oracle.chance(0.1) THEN a || '[null]' ELSE a END;
		WHEN 'contains', 'not_contains' THEN
			IF field.kind LIKE 'list%' OR oracle.chance(0.1) THEN
				RETURN oracle.named_value('element');
			END IF;
			RETURN oracle.random_piece(field.pool, operator);
		WHEN 'starts_with', 'ends_with' THEN
			RETURN oracle.random_piece(field.pool, operator);
		WHEN 'greater_than', 'less_than', 'greater_or_equal', 'less_or_equal', 'gte', 'lte' THEN
			RETURN oracle.named_value(numbers);
		WHEN 'between' THEN
			a := oracle.named_value(numbers);
			b := oracle.named_value(numbers);
			IF (timed AND oracle.parse_time(a #>> '{}') > oracle.parse_time(b #>> '{}'))
				OR (NOT timed AND oracle.as_number(a) > oracle.as_number(b)) THEN
				RETURN CASE WHEN oracle.chance(0.9) THEN jsonb_build_array(b, a) ELSE jsonb_build_array(a, b) END;
			END IF;
			RETURN jsonb_build_array(a, b);
		WHEN 'before', 'after' THEN
			RETURN oracle.named_value('time');
		WHEN 'anniversary_within' THEN
			RETURN oracle.pick('[0, 0.5, 1, 7, 14, 30, 31, 90, 183, 300, 365, 366]');
		WHEN 'matches' THEN
			RETURN oracle.named_value('pattern', 0.2);
		WHEN 'in_sample' THEN
			RETURN oracle.pick('[0, 0.001, 1, 10, 25, 33.3333, 50, 50, 66.6667, 75, 90, 99.999, 100]');
		WHEN 'within_last', 'not_within_last', 'within_next' THEN
			RETURN oracle.pick('[0, 0.5, 1, 2, 3, 7, 7, 14, 30, 30, 90, 365, 3650, 40000, 800000, 1e7]');
		WHEN 'contains_any', 'contains_all' THEN
			a := oracle.random_list('element', CASE operator WHEN 'contains_any' THEN 8 ELSE 2 END);
			RETURN CASE WHEN oracle.chance(0.05) THEN a || '[null]' ELSE a END;
		ELSE
			RETURN NULL;
	END CASE;
END $$;

-- sources: the fields' sources that may be used, NULL for all
CREATE FUNCTION oracle.random_condition(for_target text, op text, sources text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	o oracle.operator;
	f oracle.field;
	wanted text[];
	fields int[];
	chosen int;
	value jsonb;
	condition jsonb;
BEGIN
	SELECT * INTO o FROM oracle.operator WHERE name = op;
	wanted := o.kinds;
	-- Sometimes a field of a kind that the operator is not for; but where the kind is that of a
	-- column the definition itself would make no sense.
	IF oracle.chance(0.08) THEN
		wanted := '{number,text,list,time,boolean,object}';
	END IF;
	fields := ARRAY(SELECT x.id FROM oracle.field x
		WHERE x.target = for_target AND x.kind = ANY (wanted) AND (sources IS NULL OR x.source = ANY (sources))
			AND (for_target = 'profile' OR x.kind = ANY (o.kinds))
		ORDER BY x.id);
	IF cardinality(fields) = 0 THEN
		RETURN NULL;
	END IF;
	chosen := fields[1 + oracle.below(cardinality(fields))];
	SELECT * INTO f FROM oracle.field WHERE id = chosen;
	condition := jsonb_build_object('field', oracle.written_field(f.keys), 'operator', oracle.mangle_case(op));
	value := oracle.random_value(op, f);
	IF value IS NOT NULL THEN
		condition := condition || jsonb_build_object('value', value);
	END IF;
	IF f.source = 'event' AND oracle.chance(0.6) THEN
		condition := condition || jsonb_build_object('within_days', oracle.pick('[0.5, 1, 2, 3, 7, 7, 14, 30, 30, 90, 365, 1e6]'));
	END IF;
	RETURN condition;
END $$;

CREATE FUNCTION oracle.random_conditions(target text, n int, sources text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	operators text[] := ARRAY(SELECT name FROM oracle.operator ORDER BY name COLLATE "C");
	conditions jsonb := '[]';
	condition jsonb;
BEGIN
	WHILE jsonb_array_length(conditions) < n LOOP
		condition := oracle.random_condition(target, operators[1 + oracle.below(cardinality(operators))], sources);
		IF condition IS NOT NULL THEN
			conditions := conditions || condition;
		END IF;
	END LOOP;
	RETURN conditions;
END $$;

CREATE FUNCTION oracle.random_definition(target text, depth int, sources text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	conditions jsonb;
	groups jsonb := '[]';
	n_conditions int := oracle.below(4);
	n_groups int := CASE WHEN depth > 0 THEN oracle.below(3) ELSE 0 END;
	result jsonb := '{}';
BEGIN
	IF n_groups = 0 AND n_conditions = 0 THEN
		n_conditions := 1;
	END IF;
	conditions := oracle.random_conditions(target, n_conditions, sources);
	FOR i IN 1 .. n_groups LOOP
		groups := groups || oracle.random_definition(target, depth - 1, sources);
	END LOOP;
	IF oracle.chance(0.85) THEN
		result := result || jsonb_build_object('logic', oracle.mangle_case((ARRAY['and', 'or', 'or', 'not'])[1 + oracle.below(4)]));
	END IF;
	IF n_conditions > 0 OR oracle.chance(0.3) THEN
		result := result || jsonb_build_object('conditions', conditions);
	END IF;
	IF n_groups > 0 OR oracle.chance(0.3) THEN
		result := result || jsonb_build_object('groups', groups);
	END IF;
	RETURN result;
END $$;

CREATE TABLE oracle.definition (
	id serial PRIMARY KEY,
	target text NOT NULL,
	operator text,				-- where it is a single condition
	traits_only boolean NOT NULL,
	conditions jsonb NOT NULL
);
CREATE UNIQUE INDEX ON oracle.definition (target, md5(conditions::text));

-- As deep as definitions may be.
CREATE FUNCTION oracle.random_tower(target text, levels int, sources text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	definition jsonb := oracle.random_definition(target, 0, sources);
BEGIN
	FOR i IN 2 .. levels LOOP
		definition := jsonb_build_object('logic', (ARRAY['and', 'or', 'not'])[1 + oracle.below(3)], 'groups', jsonb_build_array(definition));
	END LOOP;
	RETURN definition;
END $$;

CREATE FUNCTION oracle.group_of(logic text, conditions jsonb, groups jsonb DEFAULT '[]') RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_build_object('logic', logic, 'conditions', conditions, 'groups', groups) $$;

-- An "and" of n "or"s of m conditions.
CREATE FUNCTION oracle.random_product(target text, n int, m int, sources text[], conditions jsonb DEFAULT '[]') RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	groups jsonb := '[]';
BEGIN
	FOR i IN 1 .. n LOOP
		groups := groups || oracle.group_of('or', oracle.random_conditions(target, m, sources));
	END LOOP;
	RETURN oracle.group_of('and', conditions, groups);
END $$;

CREATE FUNCTION oracle.repeated(condition jsonb, n int) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_agg(condition) FROM generate_series(1, n) $$;

-- Definitions that say little in many ways: they multiply, repeat or contradict themselves. 64 alternatives,
-- and 8192 literals in them, are the limits of what the library multiplies out.
CREATE FUNCTION oracle.random_shape(target text, shape int, sources text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	a jsonb := oracle.random_conditions(target, 1, sources);
	b jsonb := oracle.random_conditions(target, 2, sources);
	common jsonb := jsonb_build_object('field', CASE target WHEN 'profile' THEN 'trait.country' ELSE 'status' END, 'operator', 'not_equals', 'value', 'nowhere');
BEGIN
	CASE shape
		WHEN 0 THEN RETURN oracle.random_product(target, 8, 4, sources);
		WHEN 1 THEN RETURN oracle.random_product(target, 3, 4, sources);
		WHEN 2 THEN RETURN oracle.group_of('not', '[]', '[]'::jsonb || oracle.random_product(target, 2, 8 + oracle.below(2), sources));
		WHEN 3 THEN RETURN oracle.group_of('or', oracle.random_conditions(target, 64 + oracle.below(2), sources));
		WHEN 4 THEN RETURN oracle.random_product(target, 6, 2, sources, oracle.repeated(common, 122 + oracle.below(2)));
		WHEN 5 THEN RETURN oracle.group_of((ARRAY['and', 'or'])[1 + oracle.below(2)], a, '[]'::jsonb || oracle.group_of('not', a));
		WHEN 6 THEN RETURN oracle.group_of('and', a || a, '[]'::jsonb || oracle.group_of('or', a || b) || oracle.group_of('not', b));
		WHEN 7 THEN RETURN oracle.group_of('not', a, '[]'::jsonb || oracle.group_of('and', b) || oracle.group_of('not', '[]', '[]'::jsonb || oracle.group_of('or', b)));
		WHEN 8 THEN RETURN oracle.group_of('not', '[]', '[]'::jsonb || oracle.group_of('and', b) || oracle.group_of('not', a, '[]'::jsonb || oracle.group_of('and', a || b)));
		WHEN 9 THEN RETURN oracle.group_of('or', '[]', '[]'::jsonb || oracle.group_of('and', a || b) || oracle.group_of('not', b) || oracle.random_product(target, 2, 3, sources, a));
	END CASE;
END $$;

-- Definitions of which an index finds something, among what it does not.
CREATE FUNCTION oracle.random_findable(shape int, sources text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	found jsonb := '[]';
	rest jsonb := oracle.random_conditions('profile', 1, sources);
BEGIN
	WHILE jsonb_array_length(found) < 4 LOOP
		found := found || coalesce(oracle.random_condition('profile', (ARRAY['equals', 'in', 'contains', 'contains_any', 'contains_all'])[1 + oracle.below(5)], sources), '[]');
	END LOOP;
	CASE shape
		WHEN 0 THEN RETURN oracle.group_of('and', jsonb_build_array(found -> 0) || rest);
		WHEN 1 THEN RETURN oracle.group_of('or', found);
		WHEN 2 THEN RETURN oracle.group_of('and', '[]', '[]'::jsonb || oracle.group_of('or', found - 3) || oracle.group_of('not', rest));
		WHEN 3 THEN RETURN oracle.group_of('or', jsonb_build_array(found -> 0), '[]'::jsonb || oracle.group_of('and', rest || (found -> 1)) || oracle.group_of('and', jsonb_build_array(found -> 2)));
		WHEN 4 THEN RETURN oracle.group_of('and', found - 3 - 2);
		WHEN 5 THEN RETURN oracle.group_of('or', jsonb_build_array(found -> 0), '[]'::jsonb || oracle.group_of('not', jsonb_build_array(found -> 1)));
	END CASE;
END $$;

-- n definitions about one field, whose lists have more values together than the library tabulates
CREATE PROCEDURE oracle.generate_long_lists(n int)
LANGUAGE sql AS $$
	INSERT INTO oracle.definition (target, traits_only, conditions)
	SELECT 'profile', true, oracle.group_of('and', jsonb_build_array(jsonb_build_object('field', 'trait.score',
		'operator', CASE WHEN i % 3 = 0 THEN 'not_in' ELSE 'in' END,
		'value', (SELECT jsonb_agg(10000 * i + v) FROM generate_series(1, 960 + 40 * (i % 4)) v) || oracle.random_list('number', 6))))
	FROM generate_series(1, n) i
	ON CONFLICT DO NOTHING
$$;

-- A threshold at each of the numbers that are close to others.
CREATE PROCEDURE oracle.generate_thresholds()
LANGUAGE sql AS $$
	INSERT INTO oracle.definition (target, operator, traits_only, conditions)
	SELECT 'profile', o, true, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.exact', 'operator', o,
		'value', CASE o WHEN 'between' THEN jsonb_build_array(e, e) ELSE e END)))
	FROM oracle.pool p, jsonb_array_elements(p.entries) WITH ORDINALITY AS u(e, n),
		LATERAL (SELECT (ARRAY['gte', 'less_than', 'between', 'greater_than', 'lte'])[1 + n % 5] AS o) AS x
	WHERE p.kind = 'close' AND p.use = 'value'
	ON CONFLICT DO NOTHING
$$;

-- n definitions of two alternatives, both of them about numbers; their ids are kept
CREATE TABLE oracle.choice (id int);
CREATE PROCEDURE oracle.generate_choices(n int)
LANGUAGE plpgsql AS $$
DECLARE
	one oracle.definition;
BEGIN
	FOR i IN 1 .. n LOOP
		INSERT INTO oracle.definition (target, traits_only, conditions)
		VALUES ('profile', true, oracle.group_of('or', jsonb_build_array(
			jsonb_build_object('field', 'trait.exact', 'operator', 'gte', 'value', 20000 + i), jsonb_build_object('field', 'trait.ltv', 'operator', 'less_than', 'value', 2 * i))))
		RETURNING * INTO one;
		INSERT INTO oracle.choice VALUES (one.id);
	END LOOP;
END $$;

-- per_operator single conditions of each operator, and n nested definitions; a third of each over
-- traits alone
CREATE PROCEDURE oracle.generate_definitions(for_target text, per_operator int, n int)
LANGUAGE plpgsql AS $$
DECLARE
	op text;
	condition jsonb;
	definition jsonb;
	sources text[];
	operators text[] := ARRAY(SELECT name FROM oracle.operator ORDER BY name COLLATE "C");
BEGIN
	FOREACH op IN ARRAY operators LOOP
		FOR i IN 1 .. per_operator LOOP
			sources := CASE WHEN for_target = 'profile' AND i % 3 = 0 THEN '{traits}'::text[] END;
			condition := oracle.random_condition(for_target, op, sources);
			IF condition IS NOT NULL THEN
				INSERT INTO oracle.definition (target, operator, traits_only, conditions)
				VALUES (for_target, op, sources IS NOT NULL, jsonb_build_object('conditions', jsonb_build_array(condition)))
				ON CONFLICT DO NOTHING;
			END IF;
		END LOOP;
	END LOOP;
	INSERT INTO oracle.definition (target, traits_only, conditions)
	SELECT for_target, for_target = 'profile', d::jsonb
	FROM unnest(ARRAY['{}', '{"logic": "not"}', '{"logic": "or", "conditions": [], "groups": []}']) AS d;
	FOR i IN 1 .. n LOOP
		sources := CASE WHEN for_target = 'profile' AND i % 3 = 0 THEN '{traits}'::text[] END;
		-- every twentieth a tower
		definition := CASE WHEN i % 20 = 0 THEN oracle.random_tower(for_target, 1 + oracle.below(64), sources)
			ELSE oracle.random_definition(for_target, 1 + oracle.below(4), sources) END;
		INSERT INTO oracle.definition (target, traits_only, conditions)
		VALUES (for_target, sources IS NOT NULL, definition)
		ON CONFLICT DO NOTHING;
	END LOOP;
	FOR i IN 0 .. n / 4 LOOP
		sources := CASE WHEN for_target <> 'profile' OR i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '{traits}'::text[] ELSE '{traits,event}'::text[] END;
		INSERT INTO oracle.definition (target, traits_only, conditions)
		VALUES (for_target, sources IS NOT DISTINCT FROM '{traits}'::text[], oracle.random_shape(for_target, i % 10, sources))
		ON CONFLICT DO NOTHING;
	END LOOP;
	FOR i IN 1 .. CASE for_target WHEN 'profile' THEN n / 2 ELSE 0 END LOOP
		sources := CASE WHEN i % 7 = 0 THEN '{computed_traits,consent}'::text[] ELSE '{traits}'::text[] END;
		INSERT INTO oracle.definition (target, traits_only, conditions)
		VALUES ('profile', i % 7 > 0, oracle.random_findable(i % 6, sources))
		ON CONFLICT DO NOTHING;
	END LOOP;
END $$;

SELECT setseed(:seed) AS seeded \gset
