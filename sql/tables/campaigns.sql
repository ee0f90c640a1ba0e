-- stratum.campaigns: ad campaigns of every platform, with their counters and metrics.

CREATE FUNCTION stratum._install_campaigns() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.campaigns') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.campaigns (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      platform stratum.ad_platform NOT NULL,
      external_id VARCHAR(255) NOT NULL,
      account_id VARCHAR(255) NOT NULL,

      name VARCHAR(500) NOT NULL,
      status stratum.campaign_status DEFAULT 'draft',
      objective VARCHAR(100),

      daily_budget_cents INTEGER CHECK (daily_budget_cents >= 0),
      lifetime_budget_cents INTEGER CHECK (lifetime_budget_cents >= 0),
      total_spend_cents INTEGER DEFAULT 0,
      currency VARCHAR(3) DEFAULT 'USD',

      impressions INTEGER DEFAULT 0 CHECK (impressions >= 0),
      clicks INTEGER DEFAULT 0 CHECK (clicks >= 0),
      conversions INTEGER DEFAULT 0 CHECK (conversions >= 0),
      revenue_cents INTEGER DEFAULT 0,

      ctr FLOAT,
      cpc_cents INTEGER,
      cpm_cents INTEGER,
      cpa_cents INTEGER,
      roas FLOAT,

      targeting_age_min INTEGER CHECK (targeting_age_min >= 0),
      targeting_age_max INTEGER CHECK (targeting_age_max >= 0),
      targeting_genders JSONB,
      targeting_locations JSONB,
      targeting_interests JSONB,

      demographics_age JSONB,
      demographics_gender JSONB,
      demographics_location JSONB,

      start_date DATE,
      end_date DATE,

      labels JSONB DEFAULT '[]',
      raw_data JSONB,

      last_synced_at TIMESTAMP WITH TIME ZONE,
      sync_error TEXT,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE,

      UNIQUE (tenant_id, platform, external_id),
      CONSTRAINT campaigns_dates_check CHECK (end_date >= start_date),
      CONSTRAINT campaigns_targeting_age_check CHECK (targeting_age_max >= targeting_age_min)
    );

    CREATE INDEX ix_campaigns_tenant_status ON stratum.campaigns (tenant_id, status);
    CREATE INDEX ix_campaigns_platform ON stratum.campaigns (tenant_id, platform);
    CREATE INDEX ix_campaigns_date_range ON stratum.campaigns (tenant_id, start_date, end_date);
    CREATE INDEX ix_campaigns_roas ON stratum.campaigns (tenant_id, roas);
    CREATE INDEX ix_campaigns_active ON stratum.campaigns (tenant_id, created_at) WHERE status = 'active' AND is_deleted = FALSE;

    COMMENT ON TABLE stratum.campaigns IS 'Ad campaigns of every platform, with their counters and metrics.';
    COMMENT ON COLUMN stratum.campaigns.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.campaigns.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.campaigns.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.campaigns.external_id IS 'Id of the campaign at the platform.';
    COMMENT ON COLUMN stratum.campaigns.account_id IS 'Ad account at the platform.';
    COMMENT ON COLUMN stratum.campaigns.name IS 'Name of the campaign.';
    COMMENT ON COLUMN stratum.campaigns.status IS 'Status.';
    COMMENT ON COLUMN stratum.campaigns.objective IS 'Objective, in the platform''s words.';
    COMMENT ON COLUMN stratum.campaigns.daily_budget_cents IS 'Budget a day, cents of currency.';
    COMMENT ON COLUMN stratum.campaigns.lifetime_budget_cents IS 'Budget over the whole run, cents of currency.';
    COMMENT ON COLUMN stratum.campaigns.total_spend_cents IS 'Spent so far, cents of currency; may fall below 0 by credits.';
    COMMENT ON COLUMN stratum.campaigns.currency IS 'ISO 4217 code.';
    COMMENT ON COLUMN stratum.campaigns.impressions IS 'Times shown.';
    COMMENT ON COLUMN stratum.campaigns.clicks IS 'Clicks.';
    COMMENT ON COLUMN stratum.campaigns.conversions IS 'Conversions.';
    COMMENT ON COLUMN stratum.campaigns.revenue_cents IS 'Revenue attributed, cents of currency; may fall below 0 by refunds.';
    COMMENT ON COLUMN stratum.campaigns.ctr IS 'Click-through rate, per cent; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.cpc_cents IS 'Cost a click, cents; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.cpm_cents IS 'Cost a thousand impressions, cents; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.cpa_cents IS 'Cost a conversion, cents; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.roas IS 'Return on ad spend, ratio of revenue to spend; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.targeting_age_min IS 'Youngest age targeted, years.';
    COMMENT ON COLUMN stratum.campaigns.targeting_age_max IS 'Oldest age targeted, years.';
    COMMENT ON COLUMN stratum.campaigns.targeting_genders IS 'Genders targeted.';
    COMMENT ON COLUMN stratum.campaigns.targeting_locations IS 'Places targeted.';
    COMMENT ON COLUMN stratum.campaigns.targeting_interests IS 'Interests targeted.';
    COMMENT ON COLUMN stratum.campaigns.demographics_age IS 'Results by age.';
    COMMENT ON COLUMN stratum.campaigns.demographics_gender IS 'Results by gender.';
    COMMENT ON COLUMN stratum.campaigns.demographics_location IS 'Results by place.';
    COMMENT ON COLUMN stratum.campaigns.start_date IS 'First day.';
    COMMENT ON COLUMN stratum.campaigns.end_date IS 'Last day.';
    COMMENT ON COLUMN stratum.campaigns.labels IS 'Labels, an array of strings.';
    COMMENT ON COLUMN stratum.campaigns.raw_data IS 'The platform''s own answer.';
    COMMENT ON COLUMN stratum.campaigns.last_synced_at IS 'Last fetched from the platform; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.campaigns.sync_error IS 'Why the last fetch failed.';
    COMMENT ON COLUMN stratum.campaigns.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.campaigns.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.is_deleted IS 'Soft delete.';
    COMMENT ON INDEX stratum.ix_campaigns_tenant_status IS 'Campaigns of a tenant by status.';
    COMMENT ON INDEX stratum.ix_campaigns_platform IS 'Campaigns of a tenant by platform.';
    COMMENT ON INDEX stratum.ix_campaigns_date_range IS 'Campaigns of a tenant by date.';
    COMMENT ON INDEX stratum.ix_campaigns_roas IS 'Best campaigns of a tenant.';
    COMMENT ON INDEX stratum.ix_campaigns_active IS 'Active campaigns only.';
    COMMENT ON SEQUENCE stratum.campaigns_id_seq IS 'Numbers the rows of stratum.campaigns, for all tenants together.';
    PERFORM stratum._comment_constraints('campaigns');
  END IF;

  ALTER TABLE stratum.campaigns ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('campaigns', '{metrics}',
    '{id,status,total_spend_cents,currency,impressions,clicks,conversions,revenue_cents,labels,
      created_at,updated_at,is_deleted}');
  PERFORM stratum._audit_stratum_table('campaigns', 'insert,update,delete,truncate');
  PERFORM stratum._limit_table('campaigns', 'max_campaigns');
  PERFORM stratum._isolate('campaigns', 'tenant_id');
  PERFORM stratum._give_rights('campaigns', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_campaigns() IS
  'Creates stratum.campaigns where it is missing and puts its default, triggers, policies and rights back; internal to install().';
