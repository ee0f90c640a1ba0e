# Sourced by bench/audit_one_row and bench/audit_sealed: what their clients do, as scripts for pgbench.

# write_updates DIRECTORY ID: update.sql, a one-row UPDATE of the campaign with that id (pgbench's expression); and floor.sql, the same
# with a finished row of about the size that stratum's have, written by the same statement.
write_updates() {
	local update='UPDATE stratum.campaigns SET impressions = impressions + 1000, clicks = clicks + 7 WHERE id = :id'
	cat >"$1/update.sql" <<-SQL
		\set id $2
		$update;
	SQL
	cat >"$1/floor.sql" <<-SQL
		\set id $2
		WITH u AS ($update RETURNING tenant_id, id)
		INSERT INTO bench.floor_log (tenant_id, action, resource_type, resource_id, old_values, new_values)
		SELECT u.tenant_id, 'update', 'campaigns', u.id::text,
		       '{"cpm_cents": 201, "ctr": 0.7070800864136452, "clicks": 30000, "updated_at": "2026-01-01T00:00:00.123456+00:00", "impressions": 2500000}'::jsonb,
		       '{"cpm_cents": 200, "ctr": 0.7068003412341234, "clicks": 30007, "updated_at": "2026-01-02T00:00:00.123456+00:00", "impressions": 2501000}'::jsonb
		FROM u;
	SQL
}

# The script of a contestant.
updates_by() { if [ "$1" = floor ]; then echo floor.sql; else echo update.sql; fi; }
