--
-- Definitions that cannot mean anything, with the JSON path of the fault, and definitions that must
-- be taken. path: what the message has to name, without the leading $; where the documentation does
-- not say whether it is an object or the key in it that is at fault, the object.
-- ~ in a definition stands for a condition that is right (of a profile).
--
CREATE TABLE oracle.verdict (
	id serial PRIMARY KEY,
	target text NOT NULL,
	definition jsonb NOT NULL,
	path text						-- NULL: must be taken
);

CREATE PROCEDURE oracle.refused(path text, definition text, target text DEFAULT 'profile')
LANGUAGE sql AS $$
	INSERT INTO oracle.verdict (target, definition, path)
	VALUES (target, replace(definition, '~', '{"field": "trait.a", "operator": "is_null"}')::jsonb, path)
$$;
CREATE PROCEDURE oracle.taken(definition text, target text DEFAULT 'profile')
LANGUAGE sql AS $$ CALL oracle.refused(NULL, definition, target) $$;

-- One condition; the path is that of its key, or of itself where key is ''.
CREATE PROCEDURE oracle.refused_condition(key text, condition text, target text DEFAULT 'profile')
LANGUAGE sql AS $$
	CALL oracle.refused('conditions[0]' || CASE key WHEN '' THEN '' ELSE '.' || key END, '{"conditions": [' || condition || ']}', target)
$$;
CREATE PROCEDURE oracle.taken_condition(condition text, target text DEFAULT 'profile')
LANGUAGE sql AS $$ CALL oracle.refused(NULL, '{"conditions": [' || condition || ']}', target) $$;

-- levels: how many definitions stand in one another, the innermost with a condition
CREATE FUNCTION oracle.nested(levels int) RETURNS text
LANGUAGE sql AS $$ SELECT repeat('{"groups": [', levels - 1) || '{"conditions": [~]}' || repeat(']}', levels - 1) $$;

-- ---- refused: the shape -------------------------------------------------------------------------

CALL oracle.refused('', '[]');
CALL oracle.refused('', '[~]');
CALL oracle.refused('', '"and"');
CALL oracle.refused('', '5');
CALL oracle.refused('', 'true');
CALL oracle.refused('conditions', '{"conditions": ~}');
CALL oracle.refused('conditions', '{"conditions": "x"}');
CALL oracle.refused('groups', '{"groups": {"conditions": [~]}}');
CALL oracle.refused('groups', '{"groups": 1}');
CALL oracle.refused('conditions[0]', '{"conditions": [5]}');
CALL oracle.refused('conditions[0]', '{"conditions": [[]]}');
CALL oracle.refused('conditions[0]', '{"conditions": [null]}');
CALL oracle.refused('conditions[1]', '{"conditions": [~, "x", ~]}');
CALL oracle.refused('groups[0]', '{"groups": ["x"]}');
CALL oracle.refused('groups[1]', '{"groups": [{"conditions": [~]}, [{"conditions": [~]}]]}');
CALL oracle.refused('groups[0]', '{"groups": [{}]}');
CALL oracle.refused('groups[0]', '{"groups": [{"logic": "or"}]}');
CALL oracle.refused('groups[0]', '{"groups": [{"conditions": []}]}');
CALL oracle.refused('groups[0]', '{"conditions": [~], "groups": [{"conditions": [], "groups": []}]}');
CALL oracle.refused('groups[1].groups[0]', '{"groups": [{"conditions": [~]}, {"conditions": [~], "groups": [{}]}]}');
CALL oracle.refused('logic', '{"logic": "xor", "conditions": [~]}');
CALL oracle.refused('logic', '{"logic": "", "conditions": [~]}');
CALL oracle.refused('logic', '{"logic": " and", "conditions": [~]}');
CALL oracle.refused('logic', '{"logic": 5, "conditions": [~]}');
CALL oracle.refused('logic', '{"logic": ["and"], "conditions": [~]}');
CALL oracle.refused('logic', '{"logic": "nor"}');
CALL oracle.refused('groups[0].logic', '{"groups": [{"logic": "nand", "conditions": [~]}]}');
CALL oracle.refused('rules', '{"rules": [~]}');
CALL oracle.refused('condition', '{"condition": [~]}');
CALL oracle.refused('Conditions', '{"Conditions": [~]}');
CALL oracle.refused('groups[0]', '{"groups": [{"operator": "and", "conditions": [~]}]}');
CALL oracle.refused('', '{"field": "trait.a", "operator": "is_null"}');

-- nesting
CALL oracle.refused('groups[0].groups[0].groups[0]', oracle.nested(66));
CALL oracle.refused('groups[0].groups[0].groups[0]', oracle.nested(200));
CALL oracle.refused('groups[0].groups[0].groups[0]', oracle.nested(3000));

-- ---- refused: the keys of a condition -----------------------------------------------------------

CALL oracle.refused_condition('', '{}');
CALL oracle.refused_condition('', '{"operator": "equals", "value": 1}');
CALL oracle.refused_condition('', '{"field": "trait.a", "value": 1}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "equals"}');
CALL oracle.refused_condition('', '{"field": "trait.a", "op": "equals", "value": 1}');
CALL oracle.refused_condition('values', '{"field": "trait.a", "operator": "equals", "value": 1, "values": [1]}');
CALL oracle.refused_condition('case', '{"field": "trait.a", "operator": "contains", "value": "x", "case": true}');
CALL oracle.refused_condition('within_days', '{"field": "trait.a", "operator": "equals", "value": 1, "within_days": 7}');
CALL oracle.refused_condition('within_days', '{"field": "profile.created_at", "operator": "is_null", "within_days": 7}');
CALL oracle.refused_condition('within_days', '{"field": "clicks", "operator": "equals", "value": 1, "within_days": 7}', 'campaign');
CALL oracle.refused_condition('within_days', '{"field": "event.purchase.count", "operator": "equals", "value": 1, "within_days": "week"}');
CALL oracle.refused_condition('within_days', '{"field": "event.purchase.count", "operator": "equals", "value": 1, "within_days": [7]}');

-- ---- refused: operators -------------------------------------------------------------------------

CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "is", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "equals ", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "equal", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "=", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "gt", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "EQUALSX", "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": 5, "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": ["equals"], "value": 1}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": null, "value": 1}');
CALL oracle.refused_condition('operator', '{"field": "trait.a", "operator": "İS_NULL"}');

-- ---- refused: fields ----------------------------------------------------------------------------

CALL oracle.refused_condition('field', '{"field": "foo.bar", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "country", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "traits.country", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": 5, "operator": "is_null"}');
CALL oracle.refused_condition('', '{"field": null, "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": {"trait": "a"}, "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": [], "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "trait", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": ["trait"], "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": ["trait", 5], "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": ["trait", null], "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": ["trait.a"], "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": ["trait", ["a"]], "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "computed", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "consent", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "profile", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "profile.nope", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "profile.Email", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "profile.ctid", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "identifier", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "identifier.name", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "event", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "event.purchase", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "event.purchase.nope", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "event.purchase.property", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "campaign.clicks", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "spend", "operator": "greater_than", "value": 1}');
CALL oracle.refused_condition('field', '{"field": "nope", "operator": "is_null"}', 'campaign');
CALL oracle.refused_condition('field', '{"field": "campaign.nope", "operator": "is_null"}', 'campaign');
CALL oracle.refused_condition('field', '{"field": "campaign", "operator": "is_null"}', 'campaign');
CALL oracle.refused_condition('field', '{"field": "trait.ltv", "operator": "is_null"}', 'campaign');
CALL oracle.refused_condition('field', '{"field": "profile.email", "operator": "is_null"}', 'campaign');

-- ---- refused: values ----------------------------------------------------------------------------

CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "in", "value": "x"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "in", "value": {"a": 1}}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "in", "value": null}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "in"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "not_in", "value": 5}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "contains_any", "value": "x"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "CONTAINS_ALL", "value": 5}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "contains_all"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": 5}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": []}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": [1]}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": [1, 2, 3]}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": [1, null]}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": ["a", 2]}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "between", "value": {"min": 1, "max": 2}}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "between"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "greater_than", "value": "abc"}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "greater_than", "value": null}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "less_than", "value": true}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "gte", "value": [5]}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "lte", "value": "1e1001"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "less_or_equal", "value": "05"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "greater_or_equal", "value": " 5"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "greater_than", "value": "NaN"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "greater_than", "value": ""}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "greater_than", "value": "' || repeat('9', 1001) || '"}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "greater_than"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "before", "value": "yesterday"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "before", "value": 5}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "before", "value": "2024-02-30"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "after", "value": "2024-13-01T00:00:00Z"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "after", "value": "20240115"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "after", "value": " 2024-01-15"}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "after", "value": null}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "after"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "within_last", "value": "soon"}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "within_last", "value": null}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "within_last", "value": true}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "within_last"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "within_next", "value": "soon"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "within_next", "value": -0.5}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "within_next"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "not_within_last", "value": [7]}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "not_within_last", "value": -1}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "not_within_last", "value": null}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "anniversary_within", "value": 366.5}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "anniversary_within", "value": -1}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "anniversary_within", "value": "7"}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "anniversary_within"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "in_sample", "value": 100.001}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "in_sample", "value": -1e-9}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "in_sample", "value": "10"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "in_sample", "value": true}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "in_sample"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": 5}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": ["a"]}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "matches", "value": null}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "matches"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(a"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "a)"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "[a"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "*a"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "a{2,1}"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "a{256}"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "a\\"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "[[:nope:]]"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(a)\\1"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(?=a)b"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(?<!a)b"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "***=a.b"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(?q)a.b"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(?x)a b"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "(a{1,250}){1,250}"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "((a*){100}){100}"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "' || repeat('a', 1001) || '"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "matches", "value": "' || repeat('é', 501) || '"}');
CALL oracle.refused_condition('value', '{"field": "trait.a", "operator": "starts_with", "value": 5}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "ends_with", "value": null}');
CALL oracle.refused_condition('', '{"field": "trait.a", "operator": "contains"}');
CALL oracle.refused_condition('value', '{"field": "profile.created_at", "operator": "greater_than", "value": 5}');
CALL oracle.refused_condition('value', '{"field": "profile.created_at", "operator": "before", "value": "2024-1-5"}');
CALL oracle.refused_condition('value', '{"field": "profile.created_at", "operator": "between", "value": ["2024-01-01", "2024-02-30"]}');
CALL oracle.refused_condition('value', '{"field": "event.purchase.last", "operator": "greater_than", "value": "abc"}');
CALL oracle.refused_condition('value', '{"field": "start_date", "operator": "after", "value": "2023-02-29"}', 'campaign');
CALL oracle.refused_condition('value', '{"field": "spend", "operator": "greater_than", "value": "lots"}', 'campaign');

-- ---- refused: deep in it ------------------------------------------------------------------------

CALL oracle.refused('conditions[2].operator', '{"conditions": [~, ~, {"field": "trait.a", "operator": "nope"}, ~]}');
CALL oracle.refused('groups[0].groups[1].conditions[2].value',
	'{"groups": [{"groups": [{"conditions": [~]}, {"conditions": [~, ~, {"field": "trait.a", "operator": "in", "value": 1}]}]}]}');
CALL oracle.refused('groups[1].conditions[0].field',
	'{"logic": "or", "conditions": [~], "groups": [{"conditions": [~]}, {"conditions": [{"field": "x.y", "operator": "is_null"}]}]}');

-- ---- taken --------------------------------------------------------------------------------------

CALL oracle.taken('{}');
CALL oracle.taken('null');
CALL oracle.taken('{"logic": "or"}');
CALL oracle.taken('{"conditions": []}');
CALL oracle.taken('{"logic": "not", "conditions": [], "groups": []}');
CALL oracle.taken('{"conditions": [~]}');
CALL oracle.taken('{"logic": "NOT", "conditions": [~, ~]}');
CALL oracle.taken('{"logic": "Or", "groups": [{"conditions": [~]}, {"logic": "And", "conditions": [~]}]}');
CALL oracle.taken(oracle.nested(64));
CALL oracle.taken_condition('{"field": "trait.a", "operator": "EQUALS", "value": 1}');
CALL oracle.taken_condition('{"field": "trait.a.b.c", "operator": "equals", "value": null}');
CALL oracle.taken_condition('{"field": ["trait", "a.b", "", "größe"], "operator": "not_equals", "value": {"x": [1]}}');
CALL oracle.taken_condition('{"field": "computed.score", "operator": "Greater_Than", "value": "1e1000"}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "gte", "value": -0.5e-400}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "lte", "value": "' || repeat('9', 1000) || '"}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "less_than", "value": 1e2000}');
CALL oracle.taken_condition('{"field": "consent.marketing.email", "operator": "equals", "value": true}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "in", "value": []}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "not_in", "value": [null, 1, "1", [1], {"a": 1}]}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "contains_any", "value": []}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "contains_all", "value": ["x", 1, null]}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "contains", "value": 5}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "not_contains", "value": ""}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "starts_with", "value": ""}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "between", "value": ["1", 2.5]}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "between", "value": [1, 1]}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "before", "value": "2024-02-29T24:00:00+0530"}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "after", "value": "2024-01-15 10:00"}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "within_last", "value": 0.5}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "within_next", "value": 0}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "Not_Within_Last", "value": 0.5}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "anniversary_within", "value": 366}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "anniversary_within", "value": 0}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "in_sample", "value": 100.000}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "in_sample", "value": 0}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "matches", "value": ""}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "matches", "value": "' || repeat('a', 1000) || '"}');
CALL oracle.taken_condition('{"field": "trait.a", "operator": "matches", "value": "(?i)^[a-z0-9._%+-]{1,64}@([a-z0-9-]{1,63}\\.){1,8}[a-z]{2,63}$"}');
CALL oracle.taken_condition('{"field": "event.purchase.last", "operator": "not_within_last", "value": 7, "within_days": 30}');
CALL oracle.taken_condition('{"field": "profile.created_at", "operator": "anniversary_within", "value": 7}');
CALL oracle.taken_condition('{"field": "end_date", "operator": "within_next", "value": 7}', 'campaign');
CALL oracle.taken_condition('{"field": "name", "operator": "matches", "value": "^Q[1-4]"}', 'campaign');
CALL oracle.taken_condition('{"field": "profile.lifecycle_stage", "operator": "in", "value": ["customer"]}');
CALL oracle.taken_condition('{"field": "profile.created_at", "operator": "greater_than", "value": "2024-01-15T10:00:00Z"}');
CALL oracle.taken_condition('{"field": "profile.first_seen_at", "operator": "between", "value": ["2024-01-15", "2024-02-15T10:00Z"]}');
CALL oracle.taken_condition('{"field": "profile.id", "operator": "less_than", "value": 100}');
CALL oracle.taken_condition('{"field": "identifier.anonymous_id", "operator": "equals", "value": false}');
CALL oracle.taken_condition('{"field": "event.purchase.count", "operator": "gte", "value": 2, "within_days": 30}');
CALL oracle.taken_condition('{"field": "event.purchase.exists", "operator": "equals", "value": false}');
CALL oracle.taken_condition('{"field": "event.purchase.last", "operator": "within_last", "value": 7}');
CALL oracle.taken_condition('{"field": "event.purchase.property.items.sku", "operator": "contains", "value": "x", "within_days": 90}');
CALL oracle.taken_condition('{"field": ["event", "page.view", "property", "a.b"], "operator": "is_not_null"}');
CALL oracle.taken_condition('{"field": "campaign.clicks", "operator": "gte", "value": 10}', 'campaign');
CALL oracle.taken_condition('{"field": "roas", "operator": "less_than", "value": 1.5}', 'campaign');
CALL oracle.taken_condition('{"field": "conversion_rate", "operator": "greater_than", "value": 2}', 'campaign');
CALL oracle.taken_condition('{"field": "labels", "operator": "contains", "value": "x"}', 'campaign');
CALL oracle.taken_condition('{"field": "end_date", "operator": "before", "value": "2024-01-15"}', 'campaign');
CALL oracle.taken_condition('{"field": "status", "operator": "equals", "value": "active"}', 'campaign');

-- ---- the judge ----------------------------------------------------------------------------------

-- What is wrong with how the library takes one of them; NULL where nothing is.
CREATE FUNCTION oracle.misjudged(v oracle.verdict, statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement USING v.definition, v.target;
	RETURN CASE WHEN v.path IS NOT NULL THEN 'not refused' END;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN CASE
		WHEN v.path IS NULL THEN format('refused: %s %s', state, message)
		WHEN state <> '22023' THEN format('SQLSTATE %s: %s', state, message)
		WHEN strpos(message || ' ' || detail, CASE v.path WHEN '' THEN '$' ELSE v.path END) = 0
			THEN format('path not named: %s %s', message, detail)
		WHEN hint = '' THEN 'no hint: ' || message
		END;
END $$;
