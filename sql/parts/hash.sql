-- Normal forms and SHA-256 of e-mail addresses and telephone numbers.
-- rights: normalize_email(text), email_hash(text), normalize_phone(text), phone_hash(text)
--         -> stratum_app, stratum_admin

CREATE FUNCTION stratum.normalize_email(email text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_normalize_email';
COMMENT ON FUNCTION stratum.normalize_email(text) IS
  'The address without blanks, tabs and newlines at its ends and with A-Z in lower case; nothing else is changed. NULL for a blank one.';

CREATE FUNCTION stratum.email_hash(email text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_email_sha256';
COMMENT ON FUNCTION stratum.email_hash(text) IS
  'SHA-256 of the normalised address as UTF-8, 64 lower-case hex digits. NULL for a blank one.';

CREATE FUNCTION stratum.normalize_phone(phone text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_normalize_phone';
COMMENT ON FUNCTION stratum.normalize_phone(text) IS
  'The digits 0-9 of the number, without a leading 00. NULL if none is left.';

CREATE FUNCTION stratum.phone_hash(phone text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_phone_sha256';
COMMENT ON FUNCTION stratum.phone_hash(text) IS
  'SHA-256 of the normalised number, 64 lower-case hex digits. NULL if no digit is left.';
