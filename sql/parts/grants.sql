-- Rights on the members: PUBLIC has none, each role what it needs.
SELECT stratum._close_members();

-- operations
GRANT EXECUTE ON FUNCTION stratum.version() TO stratum_app, stratum_admin, stratum_auditor, stratum_auth;
GRANT EXECUTE ON FUNCTION stratum.check_install() TO stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._refuse_transaction_block(text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.security_check() TO stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.export_tenant(bigint) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.delete_tenant(bigint, text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.make_partitions(integer) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.schedule_partitions(text) TO stratum_admin;

-- tenant context
GRANT EXECUTE ON FUNCTION stratum.enter(bigint, bigint, text, inet, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.leave() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.enter_session(bigint, bigint, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.leave_session(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.enter_jwt(text, text, inet, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.add_jwt_key(text, bytea, text, timestamptz, timestamptz) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.retire_jwt_key(text, timestamptz) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.list_jwt_keys() TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.tenant_limits() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.user_can(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.refuse_viewer() TO stratum_admin;
-- auditors too: the policies they meet call it
GRANT EXECUTE ON FUNCTION stratum.current_tenant_id() TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.current_user_id() TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._current_user_id() TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.current_request_id() TO stratum_app, stratum_admin, stratum_auditor;

-- signing in: a pool of its own, which can do nothing else
GRANT EXECUTE ON FUNCTION stratum.sign_in_candidates(text) TO stratum_auth;
GRANT EXECUTE ON FUNCTION stratum.note_second_factor(bigint, boolean) TO stratum_auth;

-- hashes, metrics
GRANT EXECUTE ON FUNCTION stratum.normalize_email(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.email_hash(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.normalize_phone(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.phone_hash(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.audience_hash(text, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.ctr(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.cpc_cents(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.cpm_cents(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.cpa_cents(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.roas(bigint, bigint) TO stratum_app, stratum_admin;

-- audit trail
GRANT EXECUTE ON FUNCTION stratum.log_event(text, text, text, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.row_history(regclass, text) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.row_as_of(regclass, text, timestamptz) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._row_versions(regclass, text) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._row_entries(text, text, boolean) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._current_row(regclass, text[], text[], text[], text) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._key_condition(regclass, text[]) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._check_not_purged(regclass, jsonb, timestamptz) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._purged_before(bigint) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._any_purged_before() TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.request_changes(text) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.revert_row(regclass, text, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._plan_revert(regclass, text, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_not_moved(regclass, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._key_of(jsonb, text[], text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._revert_statement(regclass, text[], text[], text[], boolean) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._jsonb_columns(regclass) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._nulls_as_of(regclass, text, timestamptz, text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._lock_row(regclass, text[], text[], text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._revertible_columns(regclass, jsonb, text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audit_shape(regclass) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.audit_table(regclass, text[], text[], text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.unaudit_table(regclass) TO stratum_admin;
-- what these two call with the caller's own rights
GRANT EXECUTE ON FUNCTION stratum._check_auditable(regclass) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_columns(regclass, text[]) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._redacted_columns(regclass, text[]) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._make_audit_key() TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audit_operations(text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._put_audit_triggers(regclass, text[], text[], text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._put_audit_trigger(regclass, text, text, text, text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._resource_type(regclass) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._put_trigger(regclass, text, text, text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audit_row() TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audit_statement() TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audited_by_row(regclass) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audit_trigger_forms() TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._put_row_triggers(regclass, text, text[], boolean) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audit_truncate() TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._has_audit_triggers(regclass) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._tell_shown_columns(regclass) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._record_audited_table(regclass) TO stratum_admin;

-- tamper evidence: those named _own run for the tenant that was entered, those named _any for whoever may see all
GRANT EXECUTE ON FUNCTION stratum.seal_audit(bigint) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.audit_head(bigint) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum.verify_audit(bigint, text) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._is_own_audit(bigint) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._seal_own_audit() TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._own_audit_head() TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._verify_own_audit(text) TO stratum_app, stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._seal_any_audit(bigint) TO stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._any_audit_head(bigint) TO stratum_admin, stratum_auditor;
GRANT EXECUTE ON FUNCTION stratum._verify_any_audit(bigint, text) TO stratum_admin, stratum_auditor;
GRANT EXECUTE ON PROCEDURE stratum.seal_all_audit() TO stratum_admin;

-- retention, erasure, access
GRANT EXECUTE ON FUNCTION stratum.purge_audit(timestamptz) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._purge_batch(bigint, timestamptz, bigint) TO stratum_admin;
GRANT EXECUTE ON PROCEDURE stratum.purge_all_audit(timestamptz) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.anonymize_profile(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.anonymize_user(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._anonymize_own_user(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._anonymize_platform_user(bigint) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.export_subject(bigint) TO stratum_app, stratum_admin;

-- conditions
GRANT EXECUTE ON FUNCTION stratum.validate_conditions(jsonb, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.segment_matches(jsonb, anyelement) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.segment_matches(jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.traits_match(jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.campaign_matches(jsonb, anyelement) TO stratum_app, stratum_admin;
-- what the planner puts in their place is called with the caller's own rights
GRANT EXECUTE ON FUNCTION stratum._profile_matches(jsonb, text[], "any") TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._campaign_matches(jsonb, text[], "any") TO stratum_app, stratum_admin;

-- events that come in, profiles that are one; the internal ones run as the caller of those that use them
GRANT EXECUTE ON FUNCTION stratum.ingest_event(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.ingest_events(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.merge_profiles(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._acting_tenant() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._lock_names(text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._find_profiles(bigint, uuid[], text[], text[], text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._is_name_taken(bigint, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._add_names(bigint, bigint, text, text, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._settle_profile(bigint, uuid, text, text, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._purchase_events(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._later_stage(text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._reached_stage(text, boolean, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._joined_traits(jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._lock_profiles(bigint, bigint[], uuid[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._notice_growth() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._make_strangers(bigint, integer[], uuid[], text[], text[], text[], text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._persons_with_news(bigint, integer[], integer[], uuid[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._profiles_of(bigint, uuid[], text[], text[], text[], text[], integer[], uuid[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._merged_consent(jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._merged_object(jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._hand_over_names(bigint, bigint, bigint) TO stratum_app, stratum_admin;

-- audiences, drafts; the internal ones run as the caller of those that use them
GRANT EXECUTE ON FUNCTION stratum.audience_members(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.audience_changes(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.start_audience_sync(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.finish_audience_sync(bigint, boolean, text, float8) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audience_sync(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._consent_keys(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._has_consented(jsonb, text[]) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audience_identifier(text, text, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._audience_members(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.publish_draft(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._draft_columns() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._refuse_draft(text, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_draft_platforms(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_draft_data(jsonb, text) TO stratum_app, stratum_admin;

-- segments; the internal ones run as the caller of those that use them
GRANT EXECUTE ON FUNCTION stratum.preview_segment(jsonb, integer) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._preview_segment(jsonb, integer) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.segment_profiles(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._segment_profiles(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.profile_segments(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._expand_segments(bigint, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.refresh_segment(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.refresh_segments() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._refresh_tenant_segments(bigint) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.set_segment_options(bigint, boolean, boolean) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.settle_segments() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.segment_size_history(bigint, timestamptz, timestamptz, interval) TO stratum_app, stratum_admin;
GRANT EXECUTE ON PROCEDURE stratum.refresh_all_segments() TO stratum_admin;

-- signals
GRANT EXECUTE ON FUNCTION stratum.signal_health_status(double precision) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.trust_gate(text, text) TO stratum_app, stratum_admin;
-- what trust_gate() calls with the caller's own rights
GRANT EXECUTE ON FUNCTION stratum._trust_settings() TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._read_trust_settings(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._trust(bigint, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_platform(text) TO stratum_app, stratum_admin;

-- rules; the internal ones run as the caller of those that use them
GRANT EXECUTE ON FUNCTION stratum.validate_schedule(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.next_due(text, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.validate_actions(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.evaluate_rule(bigint, boolean) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.run_due_rules(timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON PROCEDURE stratum.run_all_due_rules(timestamptz) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.schedule_rules(text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._schedule_job(text, text, text, text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._refuse_action(text, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_action_keys(text, jsonb, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_action(text, jsonb, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_rule_action(jsonb, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._rule_actions(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._gate_action(text, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._ask_gate(bigint, text, text, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._campaign_state(bigint, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._budget_effect(numeric, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._action_effect(text, jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._change_campaign(bigint, bigint, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._explain_conditions(jsonb[], anyelement) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._conditions_of(jsonb, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._rule_proposals(bigint, bigint, jsonb, jsonb, timestamptz, boolean) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._queued_actions(bigint, bigint, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._run_rule(bigint, bigint, timestamptz, boolean) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._with_outcome(jsonb, text, text, bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._note_rule_run(bigint, bigint, timestamptz, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._is_due(text, timestamptz, timestamptz, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._run_if_due(bigint, bigint, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._note_failure(bigint, bigint, timestamptz, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._run_due_rules(bigint, timestamptz) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._check_time(timestamptz) TO stratum_app, stratum_admin;

-- actions; the internal ones run as the caller of those that use them
GRANT EXECUTE ON FUNCTION stratum.approve_action(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.reject_action(bigint, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.execute_action(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.undo_action(bigint) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.claim_actions(text, integer, interval) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.complete_action(bigint, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum.fail_action(bigint, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._lock_action(bigint, text, text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._is_done_here(text) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._refuse_blocked(bigint, bigint, text, text, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._change_of(bigint, text, jsonb, jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._payload_platform(jsonb) TO stratum_app, stratum_admin;
GRANT EXECUTE ON FUNCTION stratum._hand_over(bigint, bigint) TO stratum_app, stratum_admin;
