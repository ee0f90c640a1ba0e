# Sourced by bench/audit_one_row and bench/audit_sealed: what their clients do, as scripts for pgbench, and how long it takes.

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

# time_updates DIRECTORY ITEM CONTESTANT ROUND OPTION...: the script of a contestant by pgbench, and the milliseconds of one update into
# bench.timings. Round 0 warms up.
time_updates() {
	local script=$1/update.sql item=$2 contestant=$3 round=$4 tps
	[ "$contestant" != floor ] || script=$1/floor.sql
	shift 4
	tps=$(pgbench -n -M prepared "$@" -f "$script" | sed -n 's/^tps = \([0-9.]*\).*without.*/\1/p')
	psql -X -q -v ON_ERROR_STOP=1 -c "INSERT INTO bench.timings SELECT 'audit', '$item', '$contestant', $round, 1000.0 / $tps WHERE $round > 0"
}
