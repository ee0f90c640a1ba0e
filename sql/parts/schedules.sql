-- When a rule is due.
-- rights: all -> stratum_app, stratum_admin

CREATE FUNCTION stratum.validate_schedule(schedule text) RETURNS void
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_validate_schedule';
COMMENT ON FUNCTION stratum.validate_schedule(text) IS
  'Raises for what is neither a five-field cron expression that can be due nor an interval of a minute or more: SQLSTATE 22023, what is wrong, what is allowed.';

CREATE FUNCTION stratum.next_due(schedule text, after timestamptz) RETURNS timestamptz
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_next_due';
COMMENT ON FUNCTION stratum.next_due(text, timestamptz) IS
  'The first time after another one at which a schedule, a cron expression or an interval, is due. All of it in UTC.';
