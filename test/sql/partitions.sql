-- What partition_by_month(), unpartition() and make_partitions() refuse, and what stands in the way of a conversion. t/056_partitions.t
-- converts databases.
\set VERBOSITY terse
CALL stratum.partition_by_month('campaigns');
CALL stratum.partition_by_month('stratum.audit_logs');
CALL stratum.partition_by_month(NULL);
CALL stratum.unpartition('users');
CALL stratum.partition_by_month('audit_logs', months_ahead => -1);
SELECT stratum.make_partitions(121);
SELECT stratum.make_partitions(NULL);
CALL stratum.unpartition('audit_logs');
-- nothing has been converted, so there is nothing to make
SELECT stratum.make_partitions();

-- who may
CREATE ROLE regress_partitions_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_partitions_admin LOGIN IN ROLE stratum_admin;
SET ROLE regress_partitions_app;
SELECT stratum.make_partitions();
CALL stratum.partition_by_month('audit_logs');
SET ROLE regress_partitions_admin;
SELECT stratum.make_partitions();
CALL stratum.partition_by_month('audit_logs');
CALL stratum.unpartition('audit_logs');
SELECT stratum.schedule_partitions();
RESET ROLE;
DROP ROLE regress_partitions_app, regress_partitions_admin;

-- what stands in the way is named, and nothing has changed
CREATE FUNCTION pg_temp.try(of_table text, preparation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text;
  said text;
BEGIN
  EXECUTE preparation;
  BEGIN
    EXECUTE format('CALL stratum.partition_by_month(%L)', of_table);
    RAISE EXCEPTION 'converted' USING ERRCODE = 'RB000';
  EXCEPTION WHEN OTHERS THEN
    state := sqlstate;
    said := sqlerrm;
  END;
  IF (SELECT c.relkind FROM pg_class c WHERE c.oid = to_regclass('stratum.' || of_table)) <> 'r' THEN
    said := said || ' BUT CHANGED';
  END IF;
  RAISE EXCEPTION '% %', state, said USING ERRCODE = 'RB001';
EXCEPTION WHEN SQLSTATE 'RB001' THEN
  RETURN sqlerrm;
END $$;
SET client_min_messages = error;
SELECT w.what, pg_temp.try(w.of_table, w.preparation)
FROM (VALUES
  (1, 'a view', 'audit_logs', 'CREATE VIEW public.trail AS SELECT id FROM stratum.audit_logs'),
  (2, 'a rule', 'audit_logs', 'CREATE RULE mine AS ON DELETE TO stratum.audit_logs DO INSTEAD NOTHING'),
  (3, 'a column of the row type', 'cdp_events', 'CREATE TABLE public.kept (e stratum.cdp_events)'),
  (4, 'a function of the row type', 'cdp_events', $q$CREATE FUNCTION public.f(stratum.cdp_events) RETURNS integer LANGUAGE sql AS 'SELECT 1'$q$),
  (5, 'a function that is bound early', 'cdp_events', 'CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM stratum.cdp_events; END'),
  (6, 'a reference to it', 'cdp_events', 'CREATE TABLE public.clicks (event_id integer REFERENCES stratum.cdp_events (id))'),
  (7, 'a reference to itself', 'cdp_events', 'ALTER TABLE stratum.cdp_events ADD caused_by integer REFERENCES stratum.cdp_events (id)'),
  (8, 'a child', 'cdp_events', 'CREATE TABLE public.child () INHERITS (stratum.cdp_events)'),
  (9, 'a publication', 'audit_logs', 'CREATE PUBLICATION p FOR TABLE stratum.audit_logs'),
  (10, 'a key without the time', 'cdp_events', 'ALTER TABLE stratum.cdp_events ADD number integer UNIQUE'),
  (11, 'a unique index on an expression', 'cdp_events', 'CREATE UNIQUE INDEX mine ON stratum.cdp_events (lower(event_name)) WHERE id < 0'),
  (12, 'an exclusion', 'cdp_events', 'ALTER TABLE stratum.cdp_events ADD CONSTRAINT mine EXCLUDE (id WITH =)'),
  (13, 'a reference that is not validated', 'audit_logs', 'ALTER TABLE stratum.audit_logs ADD CONSTRAINT mine FOREIGN KEY (user_id) REFERENCES stratum.users (id) NOT VALID'),
  (14, 'a check for the table alone', 'audit_logs', 'ALTER TABLE stratum.audit_logs ADD CONSTRAINT mine CHECK (id > 0) NO INHERIT'),
  (15, 'an identity', 'audit_logs', 'ALTER TABLE stratum.audit_logs ADD number bigint NOT NULL GENERATED ALWAYS AS IDENTITY'),
  (16, 'a row trigger with transition tables', 'cdp_events', 'CREATE TRIGGER mine AFTER INSERT ON stratum.cdp_events REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION stratum._note_event()'),
  (17, 'a replica identity', 'audit_logs', 'ALTER TABLE stratum.audit_logs REPLICA IDENTITY FULL'),
  (18, 'unlogged', 'audit_logs', 'ALTER TABLE stratum.audit_logs SET UNLOGGED'),
  (19, 'another primary key', 'audit_logs', 'ALTER TABLE stratum.audit_logs DROP CONSTRAINT audit_logs_pkey, ADD PRIMARY KEY (id, resource_type)'),
  (20, 'a row without a time', 'audit_logs', $q$ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER; INSERT INTO stratum.audit_logs (action, resource_type, created_at) VALUES ('login', 'x', NULL)$q$),
  (21, 'two things', 'cdp_events', 'CREATE VIEW public.v AS SELECT id FROM stratum.cdp_events; ALTER TABLE stratum.cdp_events ADD number integer UNIQUE'),
  (22, 'storage that is not whole', 'audit_logs', 'ALTER TABLE stratum.audit_logs RENAME TO old_logs')) w (n, what, of_table, preparation)
ORDER BY w.n;
RESET client_min_messages;
SELECT count(*) FROM stratum.check_install();
