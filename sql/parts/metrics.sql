-- Advertising metrics: ratios of two counters; NULL where there is nothing to divide by.
-- rights: ctr(bigint, bigint), cpc_cents(bigint, bigint), cpm_cents(bigint, bigint),
--         cpa_cents(bigint, bigint), roas(bigint, bigint) -> stratum_app, stratum_admin

CREATE FUNCTION stratum.ctr(clicks bigint, impressions bigint) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_ctr';
COMMENT ON FUNCTION stratum.ctr(bigint, bigint) IS
  'Click-through rate in per cent: clicks per hundred impressions. NULL without impressions.';

CREATE FUNCTION stratum.cpc_cents(spend_cents bigint, clicks bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_cents_per_unit';
COMMENT ON FUNCTION stratum.cpc_cents(bigint, bigint) IS
  'Cost of a click in cents, rounded half away from zero. NULL without clicks.';

CREATE FUNCTION stratum.cpm_cents(spend_cents bigint, impressions bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_cents_per_mille';
COMMENT ON FUNCTION stratum.cpm_cents(bigint, bigint) IS
  'Cost of a thousand impressions in cents, rounded half away from zero. NULL without impressions, or if it does not fit a bigint.';

CREATE FUNCTION stratum.cpa_cents(spend_cents bigint, conversions bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_cents_per_unit';
COMMENT ON FUNCTION stratum.cpa_cents(bigint, bigint) IS
  'Cost of a conversion in cents, rounded half away from zero. NULL without conversions.';

CREATE FUNCTION stratum.roas(revenue_cents bigint, spend_cents bigint) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_roas';
COMMENT ON FUNCTION stratum.roas(bigint, bigint) IS
  'Return on advertising spend: revenue per unit of currency spent. NULL without spend.';
