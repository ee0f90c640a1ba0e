--
-- People about the bounds of the segments of doc/cookbook.md: who must be in and who must not, worked out by hand
-- from the words there, and for each segment the same question in plain SQL, which is asked about all of them.
--
-- Runs in one transaction, in which now() stands still, as a member of stratum_app that has entered a tenant.
-- A time is a text: "-30 days", "+1 hour" and the like are counted from now, a day having 24 hours whatever the
-- time zone; everything else is what it says.
--
CREATE TABLE cookbook.person (
	slug text NOT NULL,
	is_in boolean NOT NULL,
	why text NOT NULL,
	profile int NOT NULL
);
CREATE TABLE cookbook.plain (slug text PRIMARY KEY, query text NOT NULL);

CREATE FUNCTION cookbook.moment(t text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN t ~ '^[-+]' THEN now() + (extract(epoch FROM t::interval) * 1000000)::bigint * interval '1 microsecond'
		ELSE t::timestamptz END
$$;

-- In ISO 8601.
CREATE FUNCTION cookbook.iso(t text) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT to_char(cookbook.moment(t) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- The month and day that come so many days after a day. On 29 February nobody has an anniversary: the day before or
-- after it then, so that what is within a week stays within it, and what is not, without.
CREATE FUNCTION cookbook.month_and_day(today date, days int) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT to_char(today + days + CASE WHEN to_char(today + days, 'MM-DD') <> '02-29' THEN 0 WHEN days = 0 OR days > 7 THEN 1 ELSE -1 END, 'MM-DD')
$$;

-- Somebody whose birthday comes in so many days, in UTC.
CREATE FUNCTION cookbook.birthday(days int) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT '1990-' || cookbook.month_and_day((now() AT TIME ZONE 'UTC')::date, days) $$;

-- In how many days a birthday comes, by looking at one day after the other.
CREATE FUNCTION cookbook.days_to(birthday date, today date) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
	SELECT min(d) FROM generate_series(0, 366) d
	WHERE to_char(today + d, 'MM-DD') = CASE to_char(birthday, 'MM-DD') WHEN '02-29' THEN '03-01' ELSE to_char(birthday, 'MM-DD') END
$$;

-- events: an array of [name, time, properties]
CREATE PROCEDURE cookbook.person(slug text, is_in boolean, why text, events jsonb DEFAULT '[]', traits jsonb DEFAULT '{}', consent jsonb DEFAULT '{}',
	email text DEFAULT NULL, canonical_id uuid DEFAULT gen_random_uuid())
LANGUAGE plpgsql AS $$
DECLARE
	made int;
BEGIN
	INSERT INTO stratum.cdp_profiles (canonical_id, email, traits, consent) VALUES (canonical_id, email, traits, consent) RETURNING id INTO made;
	INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp, properties)
	SELECT made, e ->> 0, 'track', cookbook.moment(e ->> 1), coalesce(e -> 2, '{}') FROM jsonb_array_elements(events) e;
	INSERT INTO cookbook.person VALUES (slug, is_in, why, made);
END $$;

-- ---- value and loyalty ----------------------------------------------------------------------------

CALL cookbook.person('champions', true, 'the last order as long ago as may be, and the first, and no cent too much',
	'[["Order Completed", "-30 days", {"total": 200}], ["Order Completed", "-100 days", {"total": 200}], ["Order Completed", "-200 days", {"total": 200}],
	  ["Order Completed", "-300 days", {"total": 200}], ["Order Completed", "-365 days", {"total": 200}]]');
CALL cookbook.person('champions', false, 'the last order too long ago',
	'[["Order Completed", "-30 days -1 us", {"total": 900}], ["Order Completed", "-40 days", {"total": 200}], ["Order Completed", "-50 days", {"total": 200}],
	  ["Order Completed", "-60 days", {"total": 200}], ["Order Completed", "-70 days", {"total": 200}]]');
CALL cookbook.person('champions', false, 'the fifth order too long ago',
	'[["Order Completed", "-1 day", {"total": 900}], ["Order Completed", "-100 days", {"total": 200}], ["Order Completed", "-200 days", {"total": 200}],
	  ["Order Completed", "-300 days", {"total": 200}], ["Order Completed", "-365 days -1 us", {"total": 200}]]');
CALL cookbook.person('champions', false, 'a cent too little',
	'[["Order Completed", "-1 day", {"total": 199.99}], ["Order Completed", "-100 days", {"total": 200}], ["Order Completed", "-200 days", {"total": 200}],
	  ["Order Completed", "-300 days", {"total": 200}], ["Order Completed", "-365 days", {"total": 200}], ["Order Completed", "-365 days -1 us", {"total": 9000}]]');
INSERT INTO cookbook.plain VALUES ('champions', $$
	SELECT profile_id FROM stratum.cdp_events
	WHERE event_name = 'Order Completed' AND timestamp BETWEEN now() - 365 * interval '24 hours' AND now()
	GROUP BY profile_id
	HAVING count(*) >= 5 AND sum((properties ->> 'total')::numeric) >= 1000 AND max(timestamp) >= now() - 30 * interval '24 hours'$$);

CALL cookbook.person('big-spenders', true, 'two orders, the first as long ago as may be',
	'[["Order Completed", "-30 days", {"total": 150, "currency": "USD"}], ["Order Completed", "-1 day", {"total": "150.00", "currency": "USD"}]]');
CALL cookbook.person('big-spenders', false, 'the first too long ago',
	'[["Order Completed", "-30 days -1 us", {"total": 150, "currency": "USD"}], ["Order Completed", "-1 day", {"total": 150, "currency": "USD"}]]');
CALL cookbook.person('big-spenders', false, 'a cent too little', '[["Order Completed", "-1 day", {"total": 299.99, "currency": "USD"}]]');
CALL cookbook.person('big-spenders', false, 'partly in euros',
	'[["Order Completed", "-2 days", {"total": 299, "currency": "USD"}], ["Order Completed", "-1 day", {"total": 900, "currency": "EUR"}]]');
INSERT INTO cookbook.plain VALUES ('big-spenders', $$
	SELECT profile_id FROM stratum.cdp_events
	WHERE event_name = 'Order Completed' AND timestamp BETWEEN now() - 30 * interval '24 hours' AND now() AND properties ->> 'currency' = 'USD'
	GROUP BY profile_id HAVING sum((properties ->> 'total')::numeric) >= 300$$);

CALL cookbook.person('loyal-shoe-buyers', true, 'three orders, each at the least price, the first as long ago as may be',
	'[["Order Completed", "-365 days", {"category": "shoes", "total": 50}], ["Order Completed", "-2 days", {"category": "shoes", "total": 50}], ["Order Completed", "-1 day", {"category": "shoes", "total": 50}]]');
CALL cookbook.person('loyal-shoe-buyers', false, 'the first too long ago',
	'[["Order Completed", "-365 days -1 us", {"category": "shoes", "total": 50}], ["Order Completed", "-2 days", {"category": "shoes", "total": 50}], ["Order Completed", "-1 day", {"category": "shoes", "total": 50}]]');
CALL cookbook.person('loyal-shoe-buyers', false, 'one too cheap',
	'[["Order Completed", "-3 days", {"category": "shoes", "total": 49.99}], ["Order Completed", "-2 days", {"category": "shoes", "total": 50}], ["Order Completed", "-1 day", {"category": "shoes", "total": 50}]]');
CALL cookbook.person('loyal-shoe-buyers', false, 'one of hats, one of Shoes',
	'[["Order Completed", "-3 days", {"category": "hats", "total": 50}], ["Order Completed", "-2 days", {"category": "Shoes", "total": 50}],
	  ["Order Completed", "-2 days", {"category": "shoes", "total": 50}], ["Order Completed", "-1 day", {"category": "shoes", "total": 50}]]');
INSERT INTO cookbook.plain VALUES ('loyal-shoe-buyers', $$
	SELECT profile_id FROM stratum.cdp_events
	WHERE event_name = 'Order Completed' AND timestamp BETWEEN now() - 365 * interval '24 hours' AND now()
		AND properties ->> 'category' = 'shoes' AND (properties ->> 'total')::numeric >= 50
	GROUP BY profile_id HAVING count(*) >= 3$$);

CALL cookbook.person('black-friday-buyers', true, 'at the first moment of one season and the last of the other',
	'[["Order Completed", "2024-12-03 04:59:59.999999+00"], ["Order Completed", "2025-11-28 05:00:00+00"]]');
CALL cookbook.person('black-friday-buyers', true, 'the other way round',
	'[["Order Completed", "2024-11-29 05:00:00+00"], ["Order Completed", "2025-12-02 04:59:59.999999+00"]]');
CALL cookbook.person('black-friday-buyers', false, 'a moment too early',
	'[["Order Completed", "2024-11-30 12:00:00+00"], ["Order Completed", "2025-11-28 04:59:59.999999+00"]]');
CALL cookbook.person('black-friday-buyers', false, 'a moment too late',
	'[["Order Completed", "2024-12-03 05:00:00+00"], ["Order Completed", "2025-11-30 12:00:00+00"]]');
CALL cookbook.person('black-friday-buyers', false, 'a moment too early the year before',
	'[["Order Completed", "2024-11-29 04:59:59.999999+00"], ["Order Completed", "2025-11-30 12:00:00+00"]]');
CALL cookbook.person('black-friday-buyers', false, 'a moment too late the year after',
	'[["Order Completed", "2024-11-30 12:00:00+00"], ["Order Completed", "2025-12-02 05:00:00+00"]]');
CALL cookbook.person('black-friday-buyers', false, 'once only', '[["Order Completed", "2025-11-30 12:00:00+00"]]');
INSERT INTO cookbook.plain VALUES ('black-friday-buyers', $$
	SELECT profile_id FROM stratum.cdp_events
	WHERE event_name = 'Order Completed' AND (timestamp AT TIME ZONE 'America/New_York')::date BETWEEN '2024-11-29' AND '2024-12-02'
	INTERSECT
	SELECT profile_id FROM stratum.cdp_events
	WHERE event_name = 'Order Completed' AND (timestamp AT TIME ZONE 'America/New_York')::date BETWEEN '2025-11-28' AND '2025-12-01'$$);

-- ---- beginnings -----------------------------------------------------------------------------------

CALL cookbook.person('first-week-customers', true, 'the first order as long ago as may be', '[["Order Completed", "-7 days"], ["Order Completed", "-1 hour"]]');
CALL cookbook.person('first-week-customers', true, 'this moment', '[["Order Completed", "-0 days"]]');
CALL cookbook.person('first-week-customers', false, 'the first order too long ago', '[["Order Completed", "-7 days -1 us"], ["Order Completed", "-1 hour"]]');
CALL cookbook.person('first-week-customers', false, 'an order to come', '[["Order Completed", "+1 us"]]');
INSERT INTO cookbook.plain VALUES ('first-week-customers', $$
	SELECT profile_id FROM stratum.cdp_events WHERE event_name = 'Order Completed'
	GROUP BY profile_id HAVING min(timestamp) BETWEEN now() - 7 * interval '24 hours' AND now()$$);

CALL cookbook.person('one-time-buyers', true, 'a moment more than 30 days ago', '[["Order Completed", "-30 days -1 us"]]');
CALL cookbook.person('one-time-buyers', false, 'not longer ago than 30 days', '[["Order Completed", "-30 days"]]');
CALL cookbook.person('one-time-buyers', false, 'two orders', '[["Order Completed", "-90 days"], ["Order Completed", "-60 days"]]');
CALL cookbook.person('one-time-buyers', false, 'none');
INSERT INTO cookbook.plain VALUES ('one-time-buyers', $$
	SELECT profile_id FROM stratum.cdp_events WHERE event_name = 'Order Completed'
	GROUP BY profile_id HAVING count(*) = 1 AND (max(timestamp) < now() - 30 * interval '24 hours' OR max(timestamp) > now())$$);

CALL cookbook.person('browse-never-buy', true, 'three views, one as long ago as may be', '[["Product Viewed", "-30 days"], ["Product Viewed", "-1 day"], ["Product Viewed", "-1 day"]]');
CALL cookbook.person('browse-never-buy', false, 'one too long ago', '[["Product Viewed", "-30 days -1 us"], ["Product Viewed", "-1 day"], ["Product Viewed", "-1 day"]]');
CALL cookbook.person('browse-never-buy', false, 'two views', '[["Product Viewed", "-2 days"], ["Product Viewed", "-1 day"]]');
CALL cookbook.person('browse-never-buy', false, 'ordered years ago',
	'[["Product Viewed", "-3 days"], ["Product Viewed", "-2 days"], ["Product Viewed", "-1 day"], ["Order Completed", "-900 days"]]');
INSERT INTO cookbook.plain VALUES ('browse-never-buy', $$
	SELECT profile_id FROM stratum.cdp_events WHERE event_name = 'Product Viewed' AND timestamp BETWEEN now() - 30 * interval '24 hours' AND now()
	GROUP BY profile_id HAVING count(*) >= 3
	EXCEPT SELECT profile_id FROM stratum.cdp_events WHERE event_name = 'Order Completed'$$);

CALL cookbook.person('activated-trials', true, 'each step as late as may be', '[["Trial Started", "-30 days"], ["Project Created", "-23 days"], ["Teammate Invited", "-16 days"]]');
CALL cookbook.person('activated-trials', true, 'at the second attempt',
	'[["Trial Started", "-300 days"], ["Teammate Invited", "-200 days"], ["Trial Started", "-30 days"], ["Project Created", "-29 days"], ["Teammate Invited", "-28 days"]]');
CALL cookbook.person('activated-trials', false, 'the second step too late', '[["Trial Started", "-30 days -1 us"], ["Project Created", "-23 days"], ["Teammate Invited", "-22 days"]]');
CALL cookbook.person('activated-trials', false, 'the third step too late', '[["Trial Started", "-30 days"], ["Project Created", "-29 days -1 us"], ["Teammate Invited", "-22 days"]]');
CALL cookbook.person('activated-trials', false, 'in another order', '[["Trial Started", "-30 days"], ["Teammate Invited", "-29 days"], ["Project Created", "-28 days"]]');
INSERT INTO cookbook.plain VALUES ('activated-trials', $$
	SELECT DISTINCT a.profile_id FROM stratum.cdp_events a
	JOIN stratum.cdp_events b ON b.profile_id = a.profile_id AND b.event_name = 'Project Created'
		AND (b.timestamp, b.id) > (a.timestamp, a.id) AND b.timestamp <= a.timestamp + 7 * interval '24 hours'
	JOIN stratum.cdp_events c ON c.profile_id = a.profile_id AND c.event_name = 'Teammate Invited'
		AND (c.timestamp, c.id) > (b.timestamp, b.id) AND c.timestamp <= b.timestamp + 7 * interval '24 hours'
	WHERE a.event_name = 'Trial Started'$$);

CALL cookbook.person('stalled-trials', true, 'the week is over', '[["Trial Started", "-7 days -1 us"]]');
CALL cookbook.person('stalled-trials', true, 'as long ago as may be, and a project too late', '[["Trial Started", "-60 days"], ["Project Created", "-53 days 1 us"]]');
CALL cookbook.person('stalled-trials', true, 'a project before the trial', '[["Project Created", "-21 days"], ["Trial Started", "-20 days"]]');
CALL cookbook.person('stalled-trials', false, 'there still is time', '[["Trial Started", "-7 days"]]');
CALL cookbook.person('stalled-trials', false, 'a project just in time', '[["Trial Started", "-60 days"], ["Project Created", "-53 days"]]');
CALL cookbook.person('stalled-trials', false, 'a trial that took off after one that is too long ago',
	'[["Trial Started", "-60 days -1 us"], ["Trial Started", "-50 days"], ["Project Created", "-49 days"]]');
CALL cookbook.person('stalled-trials', false, 'too long ago', '[["Trial Started", "-60 days -1 us"]]');
INSERT INTO cookbook.plain VALUES ('stalled-trials', $$
	SELECT a.profile_id FROM stratum.cdp_events a
	WHERE a.event_name = 'Trial Started' AND a.timestamp BETWEEN now() - 60 * interval '24 hours' AND now()
	GROUP BY a.profile_id
	HAVING max(a.timestamp) < now() - 7 * interval '24 hours' AND bool_or(NOT EXISTS (
		SELECT FROM stratum.cdp_events b WHERE b.profile_id = a.profile_id AND b.event_name = 'Project Created'
			AND (b.timestamp, b.id) > (a.timestamp, a.id) AND b.timestamp <= a.timestamp + 7 * interval '24 hours' AND b.timestamp <= now()))$$);

-- ---- at risk --------------------------------------------------------------------------------------

CALL cookbook.person('cart-abandoners', true, 'as long ago as may be', '[["Product Added", "-7 days"]]');
CALL cookbook.person('cart-abandoners', true, 'the three hours are just over', '[["Product Added", "-3 hours -1 us"]]');
CALL cookbook.person('cart-abandoners', true, 'ordered, and came back', '[["Product Added", "-3 days"], ["Order Completed", "-2 days"], ["Product Added", "-1 day"]]');
CALL cookbook.person('cart-abandoners', false, 'too long ago', '[["Product Added", "-7 days -1 us"]]');
CALL cookbook.person('cart-abandoners', false, 'still shopping', '[["Product Added", "-2 days"], ["Product Added", "-3 hours"]]');
CALL cookbook.person('cart-abandoners', false, 'ordered in the next moment', '[["Product Added", "-2 days"], ["Order Completed", "-2 days 1 us"]]');
CALL cookbook.person('cart-abandoners', false, 'ordered just now', '[["Product Added", "-7 days"], ["Order Completed", "-0 days"]]');
INSERT INTO cookbook.plain VALUES ('cart-abandoners', $$
	SELECT a.profile_id FROM stratum.cdp_events a
	WHERE a.event_name = 'Product Added' AND a.timestamp BETWEEN now() - 7 * interval '24 hours' AND now()
	GROUP BY a.profile_id
	HAVING max(a.timestamp) < now() - interval '3 hours' AND NOT EXISTS (
		SELECT FROM stratum.cdp_events b WHERE b.profile_id = a.profile_id AND b.event_name = 'Order Completed' AND b.timestamp BETWEEN max(a.timestamp) AND now())$$);

CALL cookbook.person('churn-risk', true, 'three orders, the last a moment more than 60 days ago', '[["Order Completed", "-900 days"], ["Order Completed", "-90 days"], ["Order Completed", "-60 days -1 us"]]');
CALL cookbook.person('churn-risk', true, 'the last as long ago as may be', '[["Order Completed", "-900 days"], ["Order Completed", "-800 days"], ["Order Completed", "-180 days"]]');
CALL cookbook.person('churn-risk', false, 'not longer ago than 60 days', '[["Order Completed", "-900 days"], ["Order Completed", "-90 days"], ["Order Completed", "-60 days"]]');
CALL cookbook.person('churn-risk', false, 'gone for long', '[["Order Completed", "-900 days"], ["Order Completed", "-800 days"], ["Order Completed", "-180 days -1 us"]]');
CALL cookbook.person('churn-risk', false, 'two orders', '[["Order Completed", "-900 days"], ["Order Completed", "-90 days"]]');
CALL cookbook.person('churn-risk', false, 'an order to come', '[["Order Completed", "-900 days"], ["Order Completed", "-90 days"], ["Order Completed", "+1 day"]]');
INSERT INTO cookbook.plain VALUES ('churn-risk', $$
	SELECT profile_id FROM stratum.cdp_events WHERE event_name = 'Order Completed'
	GROUP BY profile_id
	HAVING count(*) >= 3 AND max(timestamp) < now() - 60 * interval '24 hours' AND max(timestamp) >= now() - 180 * interval '24 hours'$$);

CALL cookbook.person('win-back', true, 'no cent too much, the last order a moment more than 180 days ago', '[["Order Completed", "-400 days", {"total": "300"}], ["Order Completed", "-180 days -1 us", {"total": 200}]]');
CALL cookbook.person('win-back', false, 'not longer ago than 180 days', '[["Order Completed", "-400 days", {"total": 300}], ["Order Completed", "-180 days", {"total": 200}]]');
CALL cookbook.person('win-back', false, 'a cent too little', '[["Order Completed", "-400 days", {"total": 499.99}]]');
CALL cookbook.person('win-back', false, 'never ordered', '[["Product Viewed", "-400 days", {"total": 900}]]');
INSERT INTO cookbook.plain VALUES ('win-back', $$
	SELECT profile_id FROM stratum.cdp_events WHERE event_name = 'Order Completed'
	GROUP BY profile_id
	HAVING sum((properties ->> 'total')::numeric) >= 500 AND count(*) FILTER (WHERE timestamp BETWEEN now() - 180 * interval '24 hours' AND now()) = 0$$);

-- ---- dates of a person ----------------------------------------------------------------------------

CALL cookbook.person('birthday-next-week', true, 'today', traits => jsonb_build_object('birthday', cookbook.birthday(0)), consent => '{"email": true}');
CALL cookbook.person('birthday-next-week', true, 'in a week', traits => jsonb_build_object('birthday', cookbook.birthday(7)), consent => '{"email": true}');
CALL cookbook.person('birthday-next-week', false, 'in eight days', traits => jsonb_build_object('birthday', cookbook.birthday(8)), consent => '{"email": true}');
CALL cookbook.person('birthday-next-week', false, 'was yesterday', traits => jsonb_build_object('birthday', cookbook.birthday(-1)), consent => '{"email": true}');
CALL cookbook.person('birthday-next-week', cookbook.days_to('2000-03-01', (now() AT TIME ZONE 'UTC')::date) <= 7, 'born on 29 February: if 1 March is in a week',
	traits => '{"birthday": "2000-02-29"}', consent => '{"email": true}');
CALL cookbook.person('birthday-next-week', false, 'consent is a string', traits => jsonb_build_object('birthday', cookbook.birthday(3)), consent => '{"email": "true"}');
CALL cookbook.person('birthday-next-week', false, 'never asked', traits => jsonb_build_object('birthday', cookbook.birthday(3)));
CALL cookbook.person('birthday-next-week', false, 'no ISO date', traits => jsonb_build_object('birthday', to_char(cookbook.birthday(3)::date, 'DD.MM.YYYY')), consent => '{"email": true}');
INSERT INTO cookbook.plain VALUES ('birthday-next-week', $$
	SELECT id FROM stratum.cdp_profiles
	WHERE consent -> 'email' = 'true' AND cookbook.days_to(CASE WHEN traits ->> 'birthday' ~ '^\d{4}-\d\d-\d\d$' THEN (traits ->> 'birthday')::date END, (now() AT TIME ZONE 'UTC')::date) <= 7$$);

CALL cookbook.person('renewals-soon', true, 'as far off as may be', traits => jsonb_build_object('renews_at', cookbook.iso('+14 days'), 'auto_renew', false));
CALL cookbook.person('renewals-soon', true, 'this moment', traits => jsonb_build_object('renews_at', cookbook.iso('+0 days'), 'auto_renew', false));
CALL cookbook.person('renewals-soon', false, 'too far off', traits => jsonb_build_object('renews_at', cookbook.iso('+14 days 1 us'), 'auto_renew', false));
CALL cookbook.person('renewals-soon', false, 'over', traits => jsonb_build_object('renews_at', cookbook.iso('-1 us'), 'auto_renew', false));
CALL cookbook.person('renewals-soon', false, 'renews itself', traits => jsonb_build_object('renews_at', cookbook.iso('+1 day'), 'auto_renew', true));
CALL cookbook.person('renewals-soon', false, 'nobody knows', traits => jsonb_build_object('renews_at', cookbook.iso('+1 day')));
INSERT INTO cookbook.plain VALUES ('renewals-soon', $$
	SELECT id FROM stratum.cdp_profiles
	WHERE traits -> 'auto_renew' = 'false' AND (traits ->> 'renews_at')::timestamptz BETWEEN now() AND now() + 14 * interval '24 hours'$$);

-- ---- reach ----------------------------------------------------------------------------------------

CALL cookbook.person('engaged-subscribers', true, 'three opened, one as long ago as may be', '[["Email Opened", "-30 days"], ["Email Opened", "-1 day"], ["Email Opened", "-1 day"]]', consent => '{"newsletter": true}');
CALL cookbook.person('engaged-subscribers', true, 'a click as long ago as may be', '[["Email Clicked", "-30 days"]]', consent => '{"newsletter": true}');
CALL cookbook.person('engaged-subscribers', false, 'one opened too long ago', '[["Email Opened", "-30 days -1 us"], ["Email Opened", "-1 day"], ["Email Opened", "-1 day"]]', consent => '{"newsletter": true}');
CALL cookbook.person('engaged-subscribers', false, 'the click too long ago', '[["Email Clicked", "-30 days -1 us"], ["Email Opened", "-1 day"]]', consent => '{"newsletter": true}');
CALL cookbook.person('engaged-subscribers', false, 'no longer agrees', '[["Email Clicked", "-1 day"]]', consent => '{"newsletter": false}');
CALL cookbook.person('engaged-subscribers', false, 'never agreed', '[["Email Clicked", "-1 day"]]');
INSERT INTO cookbook.plain VALUES ('engaged-subscribers', $$
	SELECT p.id FROM stratum.cdp_profiles p JOIN stratum.cdp_events e ON e.profile_id = p.id
	WHERE p.consent -> 'newsletter' = 'true' AND e.timestamp BETWEEN now() - 30 * interval '24 hours' AND now()
	GROUP BY p.id HAVING count(*) FILTER (WHERE event_name = 'Email Opened') >= 3 OR count(*) FILTER (WHERE event_name = 'Email Clicked') > 0$$);

CALL cookbook.person('corporate-addresses', true, 'a company', email => 'ann@acme.com');
CALL cookbook.person('corporate-addresses', true, 'capitals and more dots', email => 'Ann.Lee+x@Mail.ACME.co.uk');
CALL cookbook.person('corporate-addresses', true, 'ends like a free one', email => 'ann@notgmail.com');
CALL cookbook.person('corporate-addresses', true, 'begins like a free one', email => 'ann@gmail.acme.com');
CALL cookbook.person('corporate-addresses', false, 'a free one', email => 'ann@gmail.com');
CALL cookbook.person('corporate-addresses', false, 'a free one of two parts, in capitals', email => 'Ann@YAHOO.co.uk');
CALL cookbook.person('corporate-addresses', false, 'no domain', email => 'root@localhost');
CALL cookbook.person('corporate-addresses', false, 'encrypted', email => 'v1:8a7f03');
CALL cookbook.person('corporate-addresses', false, 'none');
INSERT INTO cookbook.plain VALUES ('corporate-addresses', $$
	SELECT id FROM stratum.cdp_profiles, lower(split_part(email, '@', 2)) AS domain
	WHERE email LIKE '%_@_%._%' AND email NOT LIKE '%@%@%'
		AND (split_part(domain, '.', 1) <> ALL ('{gmail,googlemail,yahoo,hotmail,outlook,live,icloud,aol,gmx,web,proton}')
			OR substr(domain, strpos(domain, '.')) !~ '^[.][a-z]{2,3}([.][a-z]{2,3})?$')$$);

-- The shares of these two, the first eight bytes of SHA-256, are next to a tenth on either side: 199984ed and 199a1be1, a tenth being 1999999a.
CALL cookbook.person('hold-out', true, 'just below 10 per cent', canonical_id => '00000000-0000-4000-8000-000000011c1f');
CALL cookbook.person('hold-out', false, 'just above', canonical_id => '00000000-0000-4000-8000-0000000026c8');
INSERT INTO cookbook.plain VALUES ('hold-out', $$
	SELECT id FROM stratum.cdp_profiles WHERE substr(encode(sha256(canonical_id::text::bytea), 'hex'), 1, 16) < '199999999999999a'$$);

-- ---- segments of segments -------------------------------------------------------------------------

-- The share of ...0004 is 0.2 per cent; those of the others are 20 and more.
CALL cookbook.person('spring-audience', true, 'spends and reads, and is not held out', '[["Order Completed", "-30 days", {"total": 300, "currency": "USD"}], ["Email Clicked", "-30 days"]]',
	consent => '{"newsletter": true}', canonical_id => '00000000-0000-4000-8000-000000000005');
CALL cookbook.person('spring-audience', true, 'a champion, in euros', '[["Order Completed", "-1 day", {"total": 1000, "currency": "EUR"}], ["Order Completed", "-40 days"], ["Order Completed", "-50 days"],
	["Order Completed", "-60 days"], ["Order Completed", "-70 days"], ["Email Clicked", "-1 day"]]', consent => '{"newsletter": true}', canonical_id => '00000000-0000-4000-8000-000000000007');
CALL cookbook.person('spring-audience', false, 'held out', '[["Order Completed", "-30 days", {"total": 300, "currency": "USD"}], ["Email Clicked", "-30 days"]]',
	consent => '{"newsletter": true}', canonical_id => '00000000-0000-4000-8000-000000000004');
CALL cookbook.person('spring-audience', false, 'spends, and no longer reads', '[["Order Completed", "-30 days", {"total": 300, "currency": "USD"}], ["Email Clicked", "-30 days -1 us"]]',
	consent => '{"newsletter": true}', canonical_id => '00000000-0000-4000-8000-000000000003');
CALL cookbook.person('spring-audience', false, 'reads, and spends a cent too little', '[["Order Completed", "-1 day", {"total": 299.99, "currency": "USD"}], ["Email Clicked", "-1 day"]]',
	consent => '{"newsletter": true}', canonical_id => '00000000-0000-4000-8000-000000000002');
INSERT INTO cookbook.plain
SELECT 'spring-audience', format('((%s) UNION (%s)) INTERSECT (%s) EXCEPT (%s)', champions.query, spenders.query, readers.query, hold_out.query)
FROM cookbook.plain champions, cookbook.plain spenders, cookbook.plain readers, cookbook.plain hold_out
WHERE (champions.slug, spenders.slug, readers.slug, hold_out.slug) = ('champions', 'big-spenders', 'engaged-subscribers', 'hold-out');
