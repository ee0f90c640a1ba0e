-- Identifiers as the advertising platforms match them.
-- rights: audience_hash(text, text, text) -> stratum_app, stratum_admin

CREATE FUNCTION stratum.audience_hash(platform text, identifier_type text, value text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_audience_hash';
COMMENT ON FUNCTION stratum.audience_hash(text, text, text) IS
  'The identifier in the form that the platform matches on: normalised by its rules, and SHA-256 in hex where it wants a hash. NULL if nothing of the value can be matched.';
