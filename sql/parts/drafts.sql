-- Campaign drafts: checked when they are written, published once.
-- rights: publish_draft and the internal functions that it and the trigger call -> stratum_app, stratum_admin

-- Columns of a campaign that a draft may set.
CREATE FUNCTION stratum._draft_columns() RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(
    SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = 'stratum.campaigns'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.attname <> ALL ('{id,tenant_id,platform,total_spend_cents,impressions,clicks,conversions,revenue_cents,ctr,cpc_cents,cpm_cents,cpa_cents,roas,
        demographics_age,demographics_gender,demographics_location,raw_data,last_synced_at,sync_error,created_at,updated_at,is_deleted}'::name[])
    ORDER BY a.attnum);
END $$;
COMMENT ON FUNCTION stratum._draft_columns() IS 'Columns of a campaign that a draft may set: not its counters, nor what stratum keeps; internal.';

CREATE FUNCTION stratum._refuse_draft(place text, fault text, hint text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'invalid draft at %: %', place, fault USING ERRCODE = 'invalid_parameter_value', HINT = hint;
END $$;
COMMENT ON FUNCTION stratum._refuse_draft(text, text, text) IS 'Refuses a draft, with the place of the fault; internal.';

CREATE FUNCTION stratum._check_draft_platforms(platforms jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known text[] := enum_range(NULL::stratum.ad_platform)::text[];
  hint text := 'Platforms: ' || array_to_string(known, ', ') || '.';
  it record;
BEGIN
  IF jsonb_typeof(platforms) IS DISTINCT FROM 'array' OR platforms = '[]' THEN
    PERFORM stratum._refuse_draft('platforms', 'it must be an array of at least one platform', hint);
  END IF;
  FOR it IN SELECT e.value, e.place - 1 AS place, count(*) OVER (PARTITION BY e.value) AS times
            FROM jsonb_array_elements(platforms) WITH ORDINALITY AS e(value, place) ORDER BY e.place LOOP
    IF jsonb_typeof(it.value) <> 'string' OR it.value #>> '{}' <> ALL (known) THEN
      PERFORM stratum._refuse_draft(format('platforms[%s]', it.place), format('unknown platform %s', left(it.value::text, 60)), hint);
    ELSIF it.times > 1 THEN
      PERFORM stratum._refuse_draft(format('platforms[%s]', it.place), format('platform %s is there twice', it.value), hint);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._check_draft_platforms(jsonb) IS 'Refuses platforms of a draft that are none; internal.';

-- The values have to fit their columns; whether all that are needed are there is seen when it is published.
CREATE FUNCTION stratum._check_draft_data(data jsonb, place text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  columns text[] := stratum._draft_columns();
  it record;
BEGIN
  IF jsonb_typeof(data) IS DISTINCT FROM 'object' THEN
    PERFORM stratum._refuse_draft(place, 'it must be an object', 'Its keys are columns of campaigns: ' || array_to_string(columns, ', ') || '.');
  END IF;
  FOR it IN SELECT e.key, e.value FROM jsonb_each(data) e ORDER BY e.key LOOP
    IF it.key <> ALL (columns) THEN
      PERFORM stratum._refuse_draft(format('%s.%s', place, left(it.key, 60)), 'it is no column that a draft may set',
        'Columns: ' || array_to_string(columns, ', ') || '; or a platform with an object of its own.');
    END IF;
    BEGIN
      PERFORM jsonb_populate_record(NULL::stratum.campaigns, jsonb_build_object(it.key, it.value));
    EXCEPTION WHEN data_exception OR string_data_right_truncation THEN
      PERFORM stratum._refuse_draft(format('%s.%s', place, it.key), SQLERRM, 'The value must fit the column of campaigns.');
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._check_draft_data(jsonb, text) IS 'Refuses data of a draft that cannot become a campaign; internal.';

CREATE FUNCTION stratum._check_draft() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  platform text;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.platforms = OLD.platforms AND NEW.data = OLD.data THEN
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' AND OLD.status = 'published' THEN
    RAISE EXCEPTION 'draft % has been published and stays as it is', OLD.id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  -- JSON null is what an ORM writes for a value that is not there yet.
  IF NEW.platforms <> 'null' THEN
    PERFORM stratum._check_draft_platforms(NEW.platforms);
  END IF;
  IF NEW.data = 'null' THEN
    RETURN NEW;
  END IF;
  PERFORM stratum._check_draft_data(CASE jsonb_typeof(NEW.data) WHEN 'object' THEN NEW.data - enum_range(NULL::stratum.ad_platform)::text[] ELSE NEW.data END, 'data');
  FOREACH platform IN ARRAY enum_range(NULL::stratum.ad_platform)::text[] LOOP
    IF NEW.data ? platform THEN
      PERFORM stratum._check_draft_data(NEW.data -> platform, format('data.%s', platform));
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION stratum._check_draft() IS 'BEFORE trigger of campaign_drafts: refuses platforms and data that cannot become campaigns.';

CREATE FUNCTION stratum.publish_draft(draft_id bigint) RETURNS SETOF integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  draft record;
  platform text;
  whole jsonb;
  given text[];
  campaign bigint;
BEGIN
  SELECT d.* INTO draft FROM stratum.campaign_drafts d WHERE d.tenant_id = tenant AND d.id = publish_draft.draft_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'draft % does not exist', draft_id USING ERRCODE = 'no_data_found';
  ELSIF draft.status = 'published' THEN
    RAISE EXCEPTION 'draft % has been published already', draft_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  PERFORM stratum._check_draft_platforms(draft.platforms);
  FOR platform IN SELECT jsonb_array_elements_text(draft.platforms) LOOP
    whole := (coalesce(nullif(draft.data, 'null'), '{}') - enum_range(NULL::stratum.ad_platform)::text[]) || coalesce(nullif(draft.data -> platform, 'null'), '{}');
    -- what is null there is as good as absent
    whole := jsonb_build_object('name', draft.name, 'external_id', 'draft-' || draft.id, 'status', 'draft')
      || coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(whole) e WHERE e.value <> 'null'), '{}')
      || jsonb_build_object('tenant_id', tenant, 'platform', platform);
    IF coalesce(whole ->> 'account_id', '') = '' THEN
      PERFORM stratum._refuse_draft(format('data.%s.account_id', platform), 'it is missing',
        'Write the account of the platform there, or as data.account_id for all of them.');
    END IF;
    -- only the columns given, so that the others get their defaults
    given := ARRAY(SELECT k FROM jsonb_object_keys(whole) k ORDER BY k);
    EXECUTE format('INSERT INTO stratum.campaigns (%1$s) SELECT %1$s FROM jsonb_populate_record(NULL::stratum.campaigns, $1) RETURNING id',
                   (SELECT string_agg(quote_ident(g), ', ' ORDER BY g) FROM unnest(given) g))
      INTO campaign USING whole;
    RETURN NEXT campaign;
  END LOOP;
  UPDATE stratum.campaign_drafts d SET status = 'published' WHERE d.tenant_id = tenant AND d.id = publish_draft.draft_id;
END $$;
COMMENT ON FUNCTION stratum.publish_draft(bigint) IS
  'Makes a campaign of a draft for each of its platforms, once; returns their ids in the order of the platforms.';
