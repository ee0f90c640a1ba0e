-- The enums.

CREATE FUNCTION stratum._put_enum(type_name text, labels text[], comment text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_new boolean := to_regtype(format('stratum.%I', type_name)) IS NULL;
BEGIN
  IF is_new THEN
    EXECUTE format('CREATE TYPE stratum.%I AS ENUM (%s)', type_name,
                   (SELECT string_agg(quote_literal(l), ', ' ORDER BY n) FROM unnest(labels) WITH ORDINALITY u (l, n)));
    EXECUTE format('COMMENT ON TYPE stratum.%I IS %L', type_name, comment);
  END IF;
  -- as for tables: see _give_rights()
  IF is_new OR NOT stratum._in_extension_script() THEN
    EXECUTE format('REVOKE ALL ON TYPE stratum.%I FROM PUBLIC, stratum_app, stratum_admin, stratum_auditor, stratum_auth', type_name);
    EXECUTE format('GRANT USAGE ON TYPE stratum.%I TO stratum_app, stratum_admin, stratum_auditor', type_name);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_enum(text, text[], text) IS
  'Creates an enum where it is missing and puts its rights back; internal to install().';

CREATE FUNCTION stratum._install_types() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
BEGIN
  PERFORM stratum._put_enum('user_role', '{superadmin,admin,manager,analyst,viewer}',
    'Role of a user, from the platform''s administrator to a reader.');
  PERFORM stratum._put_enum('ad_platform', '{meta,google,tiktok,snapchat}', 'Ad platform.');
  PERFORM stratum._put_enum('campaign_status', '{draft,active,paused,completed,archived}', 'Status of a campaign.');
  PERFORM stratum._put_enum('rule_status', '{active,paused,draft}', 'Status of an automation rule.');
  PERFORM stratum._put_enum('rule_action',
    '{apply_label,send_alert,pause_campaign,adjust_budget,notify_slack,notify_whatsapp}',
    'What an automation rule may do.');
  PERFORM stratum._put_enum('audit_action', '{create,update,delete,login,logout,export,anonymize}',
    'What an entry of the audit trail reports.');
END $install$;
COMMENT ON FUNCTION stratum._install_types() IS
  'Creates the enums that are missing and puts their rights back; internal to install().';
