-- The condition language: one definition against one row.
-- rights: all -> stratum_app, stratum_admin

CREATE FUNCTION stratum.validate_conditions(conditions jsonb, target text DEFAULT 'profile')
  RETURNS void
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_check_conditions';
COMMENT ON FUNCTION stratum.validate_conditions(jsonb, text) IS
  'Raises if the definition cannot mean anything for the target, profile or campaign: SQLSTATE 22023, the JSON path of the fault, and what is allowed there.';

CREATE FUNCTION stratum.segment_matches(conditions jsonb, profile anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_segment_matches';
COMMENT ON FUNCTION stratum.segment_matches(jsonb, anyelement) IS
  'Whether a profile, a row with the columns of stratum.cdp_profiles, satisfies the definition. NULL if either is NULL.';

CREATE FUNCTION stratum.segment_matches(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_traits_match';
COMMENT ON FUNCTION stratum.segment_matches(jsonb, jsonb) IS
  'Whether a profile of which only the traits are known satisfies the definition: all other fields are missing. NULL for NULL conditions.';

CREATE FUNCTION stratum.traits_match(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_traits_match';
COMMENT ON FUNCTION stratum.traits_match(jsonb, jsonb) IS
  'segment_matches(conditions, traits) under a name that is not overloaded, for drivers that send parameters without types.';

CREATE FUNCTION stratum.campaign_matches(conditions jsonb, campaign anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_campaign_matches';
COMMENT ON FUNCTION stratum.campaign_matches(jsonb, anyelement) IS
  'Whether a campaign, a row with the columns of stratum.campaigns, satisfies the definition. NULL if either is NULL.';
