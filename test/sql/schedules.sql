-- When a rule is due: cron expressions and intervals.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET timezone = 'UTC';

SELECT s AS schedule, stratum.next_due(s, '2026-02-27 23:59:30') AS next
FROM unnest(ARRAY['* * * * *', '*/15 * * * *', '0 9 * * *', '59 23 * * *', '30 8-18/5 * * mon-fri', '0 0 1,15 * *', '0 0 29 feb *', '0 0 31 * *',
  '0 12 13 * fri', '0 12 */2 * 1', '0 0 * * 7', '0 0 * * 0', '0 0 * * SUN', '5,10-12,58 1 * JAN-mar,Dec *', E' 0\t0 1  1 * ', '0 0 * * fri-sun', '0 0 * * 5-7',
  '@hourly', '@Daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually',
  '1 minute', '90 minutes', '01:30', 'PT1H30M', '1 day', '1 mon', '1 month 1 day 01:00', '@ 2 hours', '1 day 2 hours', '100 years']) WITH ORDINALITY u (s, n) ORDER BY n;
-- strictly after; seconds do not matter
SELECT stratum.next_due('0 9 * * *', t) FROM unnest('{2026-01-01 08:59:59.999999,2026-01-01 09:00,2026-01-01 09:00:00.000001}'::timestamptz[]) t;
-- a range of one day is that day: 2026-11-29 is a Sunday
SELECT s AS schedule, stratum.next_due(s, '2026-11-29 12:00') AS next FROM unnest(ARRAY['0 0 * * 0-0', '0 0 * * sun-sun', '0 0 * * 0-0/2', '0 0 * * 7-7', '0 0 * * 7-0', '0 0 * * 6-0', '0 0 * * 1-1']) WITH ORDINALITY u (s, n) ORDER BY n;
-- UTC, whatever the session's zone is; no hour is skipped or repeated where clocks are moved
SET timezone = 'Europe/Berlin';
SELECT stratum.next_due('30 2 * * *', '2026-03-28 12:00+00') AT TIME ZONE 'UTC' AS utc, stratum.next_due('1 day', '2026-03-28 12:00+00') AT TIME ZONE 'UTC' AS a_day_later;
SET timezone = 'UTC';
-- far away, and where time ends
SELECT stratum.next_due('0 0 29 2 *', '1896-03-01'), stratum.next_due('0 0 29 2 */7', '2088-02-29') AS a_sunday, stratum.next_due('0 0 1 1 *', '4713-01-02 BC');
SELECT stratum.next_due('0 0 1 1 *', '294276-06-01') AS none, stratum.next_due('100 years', '294276-06-01') AS none_either, stratum.next_due('* * * * *', '294276-12-31 23:59:59') AS nor_here;
SELECT stratum.next_due(NULL, now()) IS NULL AND stratum.next_due('1 day', NULL) IS NULL AS null_for_null;
\set VERBOSITY sqlstate
SELECT stratum.next_due('* * * * *', 'infinity');
SELECT stratum.next_due('1 day', '-infinity');
\set VERBOSITY terse

-- refused, with the place and what is allowed
CREATE FUNCTION pg_temp.refusal(schedule text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  PERFORM stratum.validate_schedule(schedule);
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN format('%s %s | %s', sqlstate, regexp_replace(sqlerrm, '.*": ', ''), left(hint, 50));
END $$;
SELECT left(s, 40) AS schedule, pg_temp.refusal(s) FROM unnest(ARRAY[
  '', '   ', 'daily', '@reboot', '@', '*', '* * * *', '* * * * * *', '0 0 * * * 2026', '60 * * * *', '-1 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 0 *', '* * * 13 *',
  '* * * * 8', '99999999999999999999 * * * *', '1- * * * *', '-5 * * * *', '5-1 * * * *', '1-2-3 * * * *', '1,,2 * * * *', ',1 * * * *', '1, * * * *', '*/0 * * * *', '*/61 * * * *',
  '*/ * * * *', '5/10 * * * *', '1.5 * * * *', '*5 * * * *', '* * * foo *', '* * * january *', '* * * * mon-', '* * * * sat-fri', '* mon * * *', 'L * * * *', '* * ? * *', '* * L * *', '0 0 * * 5#3',
  '0 0 30 2 *', '0 0 30 feb */2', '0 0 31 4,6,9,11 *', '0 0 30-31 2 *',
  '0 minutes', '59 seconds', '-1 day', '1 month -31 days', '1 day -1 hour', '1 day ago', '101 years', '1000000 years', '1e300 days', '1 fortnight', '5', '1 2 3 4', 'NaN',
  '1 day; DROP TABLE x', repeat('* ', 600), repeat('1,', 400) || '1 * * * *']) WITH ORDINALITY u (s, n) ORDER BY n;
-- what it is called differs between server versions
SELECT left(pg_temp.refusal('infinity'), 5) AS infinity;
\set VERBOSITY default
SELECT stratum.validate_schedule('0 25 * * *');
SELECT stratum.validate_schedule('every day at nine');
\set VERBOSITY terse

-- whether it is due: after the last run; before the first one, an interval is at once and a cron expression from the minute in which the rule was made
SELECT schedule, last_run, made, stratum._is_due(schedule, last_run::timestamptz, made::timestamptz, '2026-01-01 09:30') AS due
FROM (VALUES ('0 9 * * *', '2026-01-01 08:59', NULL), ('0 9 * * *', '2026-01-01 09:00', NULL), ('0 9 * * *', '2026-01-01 09:30', NULL), ('0 9 * * *', '2027-01-01', NULL),
             ('0 9 * * *', NULL, '2026-01-01 08:30'), ('0 9 * * *', NULL, '2026-01-01 09:00:59'), ('0 9 * * *', NULL, '2026-01-01 09:01'), ('30 9 * * *', NULL, '2026-01-01 09:30'),
             ('30 9 * * *', NULL, '2026-06-01'), ('31 9 * * *', NULL, '2026-06-01'), ('0 9 * * *', NULL, NULL), ('0 9 * * *', 'infinity', NULL), ('0 9 * * *', '-infinity', NULL),
             ('30 minutes', '2026-01-01 09:00', NULL), ('31 minutes', '2026-01-01 09:00', NULL), ('31 minutes', NULL, '2026-01-01 09:30'), ('31 minutes', NULL, NULL)) v (schedule, last_run, made);
SELECT stratum._is_due('0 30 2', now(), now(), now());
