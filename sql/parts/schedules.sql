-- When a rule is due.
-- rights: all -> stratum_app, stratum_admin; _schedule_job -> stratum_admin

CREATE FUNCTION stratum.validate_schedule(schedule text) RETURNS void
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_validate_schedule';
COMMENT ON FUNCTION stratum.validate_schedule(text) IS
  'Raises for what is neither a five-field cron expression that can be due nor an interval of a minute or more: SQLSTATE 22023, what is wrong, what is allowed.';

CREATE FUNCTION stratum.next_due(schedule text, after timestamptz) RETURNS timestamptz
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_next_due';
COMMENT ON FUNCTION stratum.next_due(text, timestamptz) IS
  'The first time after another one at which a schedule, a cron expression or an interval, is due. All of it in UTC.';

CREATE FUNCTION stratum._schedule_job(job_name text, every text, command text, otherwise text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  job bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
    RAISE EXCEPTION 'pg_cron is not installed in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = otherwise;
  END IF;
  IF every IS NULL THEN
    RAISE EXCEPTION 'when the job is to run must not be NULL'
      USING ERRCODE = 'null_value_not_allowed', HINT = 'It is a cron expression, such as ''17 3 * * *''.';
  END IF;
  -- by name, so that calling it again changes the job instead of adding one
  EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job USING job_name, every, command;
  RETURN job;
END $$;
COMMENT ON FUNCTION stratum._schedule_job(text, text, text, text) IS
  'Has pg_cron run a command, as the caller''s job of that name; the last argument is the hint where it is not installed; internal to schedule_rules() and schedule_partitions().';
