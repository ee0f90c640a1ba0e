-- Storage: install() creates what is missing, adopts what is there, puts the rest back.

CREATE FUNCTION stratum._in_extension_script() RETURNS boolean
  LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'stratum_in_extension_script';
COMMENT ON FUNCTION stratum._in_extension_script() IS
  'Whether an install or update script runs, in which a GRANT would be left out of dumps; internal.';

CREATE FUNCTION stratum._restoring() RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Every script of pg_dump and every session of pg_restore switches row_security off.
  RETURN current_setting('row_security') = 'off'
      OR coalesce(nullif(current_setting('stratum.restoring', true), '')::boolean, false);
END $$;
COMMENT ON FUNCTION stratum._restoring() IS
  'Whether a dump is being restored, which brings the storage itself; internal.';

CREATE FUNCTION stratum._refuse_data_loss(VARIADIC lost text[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF cardinality(lost) = 0 THEN
    RETURN;
  ELSIF coalesce(nullif(current_setting('stratum.allow_data_loss', true), '')::boolean, false) THEN
    RAISE WARNING 'the downgrade loses %', array_to_string(lost, '; ');
  ELSE
    RAISE EXCEPTION 'the downgrade would lose %', array_to_string(lost, '; ')
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SET stratum.allow_data_loss = on; and repeat it, if that is meant.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_data_loss(text[]) IS
  'Raises unless stratum.allow_data_loss is on, and warns then; internal to the scripts that go down a version, which name all that they drop.';

CREATE FUNCTION stratum._put_admin_policy(table_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('DROP POLICY IF EXISTS admin_all ON stratum.%I', table_name);
  EXECUTE format('CREATE POLICY admin_all ON stratum.%I TO stratum_admin USING (true)', table_name);
  EXECUTE format('COMMENT ON POLICY admin_all ON stratum.%I IS %L', table_name,
                 'Administrators see every tenant.');
END $$;
COMMENT ON FUNCTION stratum._put_admin_policy(text) IS 'The policy of stratum_admin on a table; internal.';

-- A policy of the same name may be anybody's: it is dropped and made anew, never trusted.
CREATE FUNCTION stratum._isolate(table_name text, tenant_column text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I ENABLE ROW LEVEL SECURITY', table_name);
  EXECUTE format('ALTER TABLE stratum.%I FORCE ROW LEVEL SECURITY', table_name);
  EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON stratum.%I', table_name);
  EXECUTE format('CREATE POLICY tenant_isolation ON stratum.%I USING (%I = stratum.current_tenant_id())',
                 table_name, tenant_column);
  EXECUTE format('COMMENT ON POLICY tenant_isolation ON stratum.%I IS %L', table_name,
                 'Rows of the tenant that the transaction has entered, and no others.');
  PERFORM stratum._put_admin_policy(table_name);
  -- That somebody has signed in is logged for viewers too; the trail has guards of its own.
  IF table_name <> 'audit_logs' THEN
    PERFORM stratum._put_trigger(
      format('stratum.%I', table_name)::regclass, 'zz_stratum_viewer',
      'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()',
      'A viewer writes nothing.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._isolate(text, text) IS
  'Who may do what with the rows of a table: one policy for everyone, one for administrators, no writes of viewers; internal.';

-- A GRANT in a script is taken for the extension's own and left out of dumps, but for a table made in the same
-- script, which is let go at its end. So on storage that was there before, only install() called by hand does it.
CREATE FUNCTION stratum._give_rights(table_name text, is_new boolean, app text, admin text, auditor text DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  grantee text;
  rights text;
  sequence_name text := table_name || '_id_seq';
  has_sequence boolean := to_regclass(format('stratum.%I', sequence_name)) IS NOT NULL;
BEGIN
  IF NOT is_new AND stratum._in_extension_script() THEN
    RETURN;
  END IF;
  EXECUTE format('REVOKE ALL ON stratum.%I FROM PUBLIC, stratum_app, stratum_admin, stratum_auditor, stratum_auth', table_name);
  -- a REVOKE of nothing would leave a list of the owner's own rights, which a dump does not carry
  IF (SELECT c.relacl IS NOT NULL FROM pg_class c WHERE c.oid = to_regclass(format('stratum.%I', sequence_name))) THEN
    EXECUTE format('REVOKE ALL ON SEQUENCE stratum.%I FROM PUBLIC, stratum_app, stratum_admin, stratum_auditor, stratum_auth', sequence_name);
  END IF;
  FOR grantee, rights IN VALUES ('stratum_app', app), ('stratum_admin', admin), ('stratum_auditor', auditor) LOOP
    CONTINUE WHEN rights IS NULL;
    EXECUTE format('GRANT %s ON stratum.%I TO %I', rights, table_name, grantee);
    IF has_sequence AND rights LIKE '%INSERT%' THEN
      EXECUTE format('GRANT USAGE ON SEQUENCE stratum.%I TO %I', sequence_name, grantee);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._give_rights(text, boolean, text, text, text) IS
  'Gives the stratum roles these rights on a table, and no others; whoever may insert may use its sequence; internal.';

CREATE FUNCTION stratum._comment_constraints(table_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT c.conname, c.contype, c.conindid, c.confrelid, pg_get_constraintdef(c.oid) AS definition
    FROM pg_constraint c
    WHERE c.conrelid = format('stratum.%I', table_name)::regclass AND c.contype IN ('p', 'u', 'f', 'c')
  LOOP
    EXECUTE format('COMMENT ON CONSTRAINT %I ON stratum.%I IS %L', it.conname, table_name,
      CASE it.contype
        WHEN 'p' THEN 'Primary key.'
        WHEN 'u' THEN 'No two rows have the same' || substr(it.definition, length('UNIQUE') + 1) || '.'
        WHEN 'f' THEN format('Refers to %s%s.', it.confrelid::regclass,
                             CASE WHEN it.definition LIKE 'FOREIGN KEY (tenant_id,%' THEN ', within the tenant' ELSE '' END)
        ELSE 'Values that this refuses can only be wrong: ' || substr(it.definition, length('CHECK ') + 1) || '.'
      END);
    IF it.contype IN ('p', 'u') THEN
      EXECUTE format('COMMENT ON INDEX %s IS %L', it.conindid::regclass, 'Index of the constraint of the same name.');
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._comment_constraints(text) IS
  'A comment on every constraint of a new table; internal to install().';

-- The version whose storage this script makes. The control file names the version of the package; here it is
-- written once more because a script of 1.1 stays one, whatever later packages are called.
CREATE FUNCTION stratum._storage_version_made() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '1.1'::pg_catalog.text $$;
COMMENT ON FUNCTION stratum._storage_version_made() IS 'Version of the storage that install() makes; internal.';

CREATE FUNCTION stratum._install_storage_version() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regprocedure('stratum.storage_version()') IS NULL;
BEGIN
  IF is_new THEN
    EXECUTE format('CREATE FUNCTION stratum.storage_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
                   format('SELECT %L::pg_catalog.text', stratum._storage_version_made()));
    COMMENT ON FUNCTION stratum.storage_version() IS
      'Version of the tables, kept with them through dumps; check_install() compares it with version().';
  END IF;
  IF is_new OR NOT stratum._in_extension_script() THEN
    REVOKE ALL ON FUNCTION stratum.storage_version() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION stratum.storage_version() TO stratum_app, stratum_admin, stratum_auditor;
  END IF;
END $install$;
COMMENT ON FUNCTION stratum._install_storage_version() IS
  'Creates stratum.storage_version() where it is missing; internal to install().';

CREATE FUNCTION stratum._storage_version() RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_version text;
BEGIN
  -- Its owner is looked at before it is run: a stranger's function must not run as us.
  IF EXISTS (SELECT FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
             WHERE p.oid = to_regprocedure('stratum.storage_version()') AND r.rolsuper) THEN
    EXECUTE 'SELECT stratum.storage_version()' INTO found_version;
  END IF;
  RETURN found_version;
END $$;
COMMENT ON FUNCTION stratum._storage_version() IS
  'What storage_version() says, NULL where it is missing or not a superuser''s; internal.';

CREATE FUNCTION stratum._check_adoption() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  strangers text;
  found_version text;
  made text := stratum._storage_version_made();
BEGIN
  SELECT string_agg(o.object, ', ' ORDER BY o.object) INTO strangers
  FROM stratum._storage_owners() o WHERE NOT o.is_superuser;
  IF strangers IS NOT NULL THEN
    RAISE EXCEPTION 'storage of stratum is owned by roles that are no superusers: %', strangers
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what they are, then drop them or give them to a superuser with ALTER ... OWNER TO.';
  END IF;
  found_version := stratum._storage_version();
  IF found_version <> made THEN
    RAISE EXCEPTION 'the storage found is of version %, this is version %', found_version, made
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN stratum._in_extension_script()
                        THEN format('Use CREATE EXTENSION stratum VERSION %L, then ALTER EXTENSION stratum UPDATE TO %L.', found_version, made)
                        ELSE stratum._commands_to_join(found_version) END;
  ELSIF found_version IS NULL
    AND EXISTS (SELECT FROM stratum._storage_found() f JOIN stratum._storage_expected() e USING (kind, object) WHERE kind = 'table') THEN
    RAISE EXCEPTION 'storage was found, but not stratum.storage_version(), which says its version'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('If the storage is of version %s: CREATE FUNCTION stratum.storage_version() RETURNS text LANGUAGE sql IMMUTABLE AS %L;',
                          made, format('SELECT %L::text', made));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_adoption() IS
  'Refuses storage that is not a superuser''s or of another version; internal to install().';

CREATE FUNCTION stratum.install() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET client_min_messages = warning
AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'install() needs a superuser' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM stratum._check_adoption();
  PERFORM stratum._install_types();
  PERFORM stratum._install_tenants();
  PERFORM stratum._install_users();
  PERFORM stratum._install_campaigns();
  PERFORM stratum._install_cdp_profiles();
  PERFORM stratum._install_cdp_profile_aliases();
  PERFORM stratum._install_cdp_events();
  PERFORM stratum._install_cdp_segments();
  PERFORM stratum._install_cdp_segment_memberships();
  PERFORM stratum._install_cdp_segment_options();
  PERFORM stratum._install_cdp_segment_history();
  PERFORM stratum._install_cdp_audience_syncs();
  PERFORM stratum._install_cdp_audience_uploads();
  PERFORM stratum._install_fact_signal_health_daily();
  PERFORM stratum._install_fact_actions_queue();
  PERFORM stratum._install_action_deliveries();
  PERFORM stratum._install_tenant_platform_connections();
  PERFORM stratum._install_campaign_drafts();
  PERFORM stratum._install_rules();
  PERFORM stratum._install_audit_logs();
  PERFORM stratum._install_audited_tables();
  PERFORM stratum._install_jwt_keys();
  PERFORM stratum._install_audit_keys();
  PERFORM stratum._install_audit_chains();
  PERFORM stratum._install_audit_seals();
  PERFORM stratum._install_optional_indexes();
  PERFORM stratum._restore_audit_triggers();
  PERFORM stratum._fit_partitions();
  PERFORM stratum._fit_results(CASE WHEN stratum._has_wide_ids() THEN 'bigint' ELSE 'integer' END);
  PERFORM stratum._install_storage_version();
END $$;
COMMENT ON FUNCTION stratum.install() IS
  'Creates the storage that is missing, adopts what is there, and puts triggers, policies and defaults back.';
