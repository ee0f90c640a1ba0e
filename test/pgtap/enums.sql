-- The six enums, every label in its order.
\ir helpers.psql
SELECT plan(14);

SELECT has_enum('stratum', t, 'enum ' || t)
FROM unnest(ARRAY['user_role', 'ad_platform', 'campaign_status', 'rule_status', 'rule_action',
                  'audit_action']) AS t;

SELECT enum_has_labels('stratum', 'user_role',
  ARRAY['superadmin', 'admin', 'manager', 'analyst', 'viewer'], 'labels of user_role');
SELECT enum_has_labels('stratum', 'ad_platform',
  ARRAY['meta', 'google', 'tiktok', 'snapchat'], 'labels of ad_platform');
SELECT enum_has_labels('stratum', 'campaign_status',
  ARRAY['draft', 'active', 'paused', 'completed', 'archived'], 'labels of campaign_status');
SELECT enum_has_labels('stratum', 'rule_status',
  ARRAY['active', 'paused', 'draft'], 'labels of rule_status');
SELECT enum_has_labels('stratum', 'rule_action',
  ARRAY['apply_label', 'send_alert', 'pause_campaign', 'adjust_budget', 'notify_slack',
        'notify_whatsapp'], 'labels of rule_action');
SELECT enum_has_labels('stratum', 'audit_action',
  ARRAY['create', 'update', 'delete', 'login', 'logout', 'export', 'anonymize'],
  'labels of audit_action');

SELECT enums_are('stratum',
  ARRAY['user_role', 'ad_platform', 'campaign_status', 'rule_status', 'rule_action',
        'audit_action'], 'no other enum in schema stratum');

SELECT throws_ok($$SELECT 'bing'::stratum.ad_platform$$, '22P02', NULL,
  'an unknown platform is PostgreSQL''s own enum error');

SELECT * FROM finish();
ROLLBACK;
