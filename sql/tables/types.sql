-- The enums.

CREATE FUNCTION stratum._install_types() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
BEGIN
  IF to_regtype('stratum.user_role') IS NULL THEN
    CREATE TYPE stratum.user_role AS ENUM ('superadmin', 'admin', 'manager', 'analyst', 'viewer');
    REVOKE ALL ON TYPE stratum.user_role FROM PUBLIC;
    GRANT USAGE ON TYPE stratum.user_role TO stratum_app, stratum_admin;
    COMMENT ON TYPE stratum.user_role IS 'Role of a user, from the platform''s administrator to a reader.';
  END IF;
  IF to_regtype('stratum.ad_platform') IS NULL THEN
    CREATE TYPE stratum.ad_platform AS ENUM ('meta', 'google', 'tiktok', 'snapchat');
    REVOKE ALL ON TYPE stratum.ad_platform FROM PUBLIC;
    GRANT USAGE ON TYPE stratum.ad_platform TO stratum_app, stratum_admin;
    COMMENT ON TYPE stratum.ad_platform IS 'Ad platform.';
  END IF;
  IF to_regtype('stratum.campaign_status') IS NULL THEN
    CREATE TYPE stratum.campaign_status AS ENUM ('draft', 'active', 'paused', 'completed', 'archived');
    REVOKE ALL ON TYPE stratum.campaign_status FROM PUBLIC;
    GRANT USAGE ON TYPE stratum.campaign_status TO stratum_app, stratum_admin;
    COMMENT ON TYPE stratum.campaign_status IS 'Status of a campaign.';
  END IF;
  IF to_regtype('stratum.rule_status') IS NULL THEN
    CREATE TYPE stratum.rule_status AS ENUM ('active', 'paused', 'draft');
    REVOKE ALL ON TYPE stratum.rule_status FROM PUBLIC;
    GRANT USAGE ON TYPE stratum.rule_status TO stratum_app, stratum_admin;
    COMMENT ON TYPE stratum.rule_status IS 'Status of an automation rule.';
  END IF;
  IF to_regtype('stratum.rule_action') IS NULL THEN
    CREATE TYPE stratum.rule_action AS ENUM
      ('apply_label', 'send_alert', 'pause_campaign', 'adjust_budget', 'notify_slack', 'notify_whatsapp');
    REVOKE ALL ON TYPE stratum.rule_action FROM PUBLIC;
    GRANT USAGE ON TYPE stratum.rule_action TO stratum_app, stratum_admin;
    COMMENT ON TYPE stratum.rule_action IS 'What an automation rule may do.';
  END IF;
  IF to_regtype('stratum.audit_action') IS NULL THEN
    CREATE TYPE stratum.audit_action AS ENUM
      ('create', 'update', 'delete', 'login', 'logout', 'export', 'anonymize');
    REVOKE ALL ON TYPE stratum.audit_action FROM PUBLIC;
    GRANT USAGE ON TYPE stratum.audit_action TO stratum_app, stratum_admin, stratum_auditor;
    COMMENT ON TYPE stratum.audit_action IS 'What an entry of the audit trail reports.';
  END IF;
END $install$;
COMMENT ON FUNCTION stratum._install_types() IS
  'Creates the enums that are missing; internal to install().';
