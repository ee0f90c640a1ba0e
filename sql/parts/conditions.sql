-- The condition language: one definition against one row.
-- rights: all -> stratum_app, stratum_admin

-- ---- for the planner: a constant definition is checked, and asked about columns ---------------------------------

CREATE FUNCTION stratum._profile_columns_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_profile_columns_support';
COMMENT ON FUNCTION stratum._profile_columns_support(internal) IS
  'Index conditions, selectivity and cost of _profile_matches(); internal.';

CREATE FUNCTION stratum._campaign_columns_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_campaign_columns_support';
COMMENT ON FUNCTION stratum._campaign_columns_support(internal) IS
  'Index conditions, selectivity and cost of _campaign_matches(); internal.';

-- Leakproof: whatever the arguments are, these two say true or false. The public functions raise on a bad definition,
-- so they are not.
CREATE FUNCTION stratum._profile_matches(conditions jsonb, columns text[], VARIADIC "any") RETURNS boolean
  LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE SUPPORT stratum._profile_columns_support
  AS 'MODULE_PATHNAME', 'stratum_profile_columns_match';
COMMENT ON FUNCTION stratum._profile_matches(jsonb, text[], "any") IS
  'Whether a profile of which these columns are given satisfies the definition; false for one that means nothing. The planner puts it in place of segment_matches(); internal.';

CREATE FUNCTION stratum._campaign_matches(conditions jsonb, columns text[], VARIADIC "any") RETURNS boolean
  LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE SUPPORT stratum._campaign_columns_support
  AS 'MODULE_PATHNAME', 'stratum_campaign_columns_match';
COMMENT ON FUNCTION stratum._campaign_matches(jsonb, text[], "any") IS
  'Whether a campaign of which these columns are given satisfies the definition; false for one that means nothing. The planner puts it in place of campaign_matches(); internal.';

CREATE FUNCTION stratum._segment_matches_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_segment_matches_support';
COMMENT ON FUNCTION stratum._segment_matches_support(internal) IS
  'Turns segment_matches() of a whole row into _profile_matches() of its columns; internal.';

CREATE FUNCTION stratum._traits_match_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_traits_match_support';
COMMENT ON FUNCTION stratum._traits_match_support(internal) IS
  'Turns traits_match() into _profile_matches(); internal.';

CREATE FUNCTION stratum._campaign_matches_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_campaign_matches_support';
COMMENT ON FUNCTION stratum._campaign_matches_support(internal) IS
  'Turns campaign_matches() of a whole row into _campaign_matches() of its columns; internal.';

-- ---- public ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION stratum.validate_conditions(conditions jsonb, target text DEFAULT 'profile')
  RETURNS void
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_check_conditions';
COMMENT ON FUNCTION stratum.validate_conditions(jsonb, text) IS
  'Raises if the definition cannot mean anything for the target, profile or campaign: SQLSTATE 22023, the JSON path of the fault, and what is allowed there.';

CREATE FUNCTION stratum.segment_matches(conditions jsonb, profile anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT stratum._segment_matches_support
  AS 'MODULE_PATHNAME', 'stratum_segment_matches';
COMMENT ON FUNCTION stratum.segment_matches(jsonb, anyelement) IS
  'Whether a profile, a row with the columns of stratum.cdp_profiles, satisfies the definition. NULL if either is NULL.';

CREATE FUNCTION stratum.segment_matches(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT stratum._traits_match_support
  AS 'MODULE_PATHNAME', 'stratum_traits_match';
COMMENT ON FUNCTION stratum.segment_matches(jsonb, jsonb) IS
  'Whether a profile of which only the traits are known satisfies the definition: all other fields are missing. NULL for NULL conditions.';

CREATE FUNCTION stratum.traits_match(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT stratum._traits_match_support
  AS 'MODULE_PATHNAME', 'stratum_traits_match';
COMMENT ON FUNCTION stratum.traits_match(jsonb, jsonb) IS
  'segment_matches(conditions, traits) under a name that is not overloaded, for drivers that send parameters without types.';

CREATE FUNCTION stratum.campaign_matches(conditions jsonb, campaign anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT stratum._campaign_matches_support
  AS 'MODULE_PATHNAME', 'stratum_campaign_matches';
COMMENT ON FUNCTION stratum.campaign_matches(jsonb, anyelement) IS
  'Whether a campaign, a row with the columns of stratum.campaigns, satisfies the definition. NULL if either is NULL.';
