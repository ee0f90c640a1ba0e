-- What crontab(5) says, word by word: for a cron expression of five fields, the first times after a point in time (UTC).
-- Days are tried one by one, so it is slow; nothing of the library is used.

-- "Ranges of numbers are allowed ... Lists are allowed ... Step values ... Names can also be used"
CREATE FUNCTION cron_values(field text, low integer, high integer, names text[]) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(DISTINCT v ORDER BY v)
  FROM regexp_split_to_table(lower(field), ',') item,
    regexp_match(item, '^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?$') m,
    LATERAL (SELECT CASE WHEN m[1] = '*' THEN low ELSE coalesce(array_position(names, m[1]) - 1 + low, m[1]::integer) END AS first) f,
    LATERAL (SELECT CASE WHEN m[1] = '*' THEN high WHEN m[2] IS NULL THEN f.first ELSE coalesce(array_position(names, m[2]) - 1 + low, m[2]::integer) END AS last) l,
    generate_series(f.first, l.last, coalesce(m[3]::integer, 1)) v
$$;

-- "If both fields are restricted (i.e., don't start with *), the command will be run when either field matches the current time."
CREATE FUNCTION cron_days(expression text, first date, last date) RETURNS SETOF date LANGUAGE sql STABLE AS $$
  SELECT d.day
  FROM (SELECT p[3] AS day, p[5] AS weekday, cron_values(p[3], 1, 31, '{}') AS days,
               cron_values(p[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}') AS months,
               -- "0-7 (0 or 7 is Sunday)"
               ARRAY(SELECT v % 7 FROM unnest(cron_values(p[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}')) v) AS weekdays
        FROM regexp_split_to_array(btrim(expression), '\s+') p) e,
    LATERAL (SELECT first + n AS day FROM generate_series(0, last - first) n) d,
    LATERAL (SELECT extract(day FROM d.day) = ANY (e.days) AS by_day, extract(dow FROM d.day) = ANY (e.weekdays) AS by_weekday) m
  WHERE extract(month FROM d.day) = ANY (e.months)
    AND CASE WHEN e.day NOT LIKE '*%' AND e.weekday NOT LIKE '*%' THEN m.by_day OR m.by_weekday ELSE m.by_day AND m.by_weekday END
$$;

CREATE FUNCTION cron_times(expression text, after timestamp, days integer, wanted integer) RETURNS SETOF timestamp LANGUAGE sql STABLE AS $$
  SELECT t.at
  FROM regexp_split_to_array(btrim(expression), '\s+') p,
    cron_days(expression, after::date, after::date + days) d (day),
    unnest(cron_values(p[2], 0, 23, '{}')) h, unnest(cron_values(p[1], 0, 59, '{}')) m,
    LATERAL (SELECT d.day + make_interval(hours => h, mins => m) AS at) t
  WHERE t.at > after
  ORDER BY t.at
  LIMIT wanted
$$;
