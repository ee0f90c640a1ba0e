-- Who is in the segments by every way to ask, in time zones of different days and with summer time; and by plain SQL.
CREATE TABLE cookbook.answer (zone text, way text, slug text, profile int);
CREATE TABLE cookbook.counted (way text, slug text, stored bigint);

CREATE PROCEDURE cookbook.ask(zone text)
LANGUAGE plpgsql AS $$
DECLARE
	question record;
BEGIN
	PERFORM set_config('TimeZone', zone, true);
	INSERT INTO cookbook.answer
	SELECT zone, 'preview_segment()', s.slug, (m ->> 'id')::int
	FROM stratum.cdp_segments s, stratum.preview_segment(s.conditions, 1000) v, jsonb_array_elements(v.sample) m;
	INSERT INTO cookbook.answer
	SELECT zone, 'segment_profiles()', s.slug, m.profile_id FROM stratum.cdp_segments s, stratum.segment_profiles(s.id) m;
	INSERT INTO cookbook.answer
	SELECT zone, 'profile_segments()', s.slug, p.id
	FROM stratum.cdp_profiles p, stratum.profile_segments(p.id) m JOIN stratum.cdp_segments s ON s.id = m.segment_id;
	FOR question IN SELECT * FROM cookbook.plain LOOP
		EXECUTE format('INSERT INTO cookbook.answer SELECT %L, %L, %L, q.* FROM (%s) q', zone, 'plain SQL', question.slug, question.query);
	END LOOP;
	PERFORM stratum.refresh_segments();
	INSERT INTO cookbook.answer
	SELECT zone, 'refresh_segments()', s.slug, m.profile_id FROM stratum.cdp_segments s JOIN stratum.cdp_segment_memberships m ON m.segment_id = s.id;
END $$;

CALL cookbook.ask('UTC');
CALL cookbook.ask('America/New_York');
CALL cookbook.ask('Pacific/Kiritimati');
INSERT INTO cookbook.counted
SELECT 'preview_segment()', s.slug, v.profile_count FROM stratum.cdp_segments s, stratum.preview_segment(s.conditions, 0) v
UNION ALL
SELECT 'profile_count', s.slug, s.profile_count FROM stratum.cdp_segments s;
