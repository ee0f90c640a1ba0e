-- The write-ahead log has every tenant's rows.
\c - postgres
SELECT attack.control('a superuser decodes it', attack.try('SELECT pg_create_logical_replication_slot(''attack_'' || left(md5(current_database()), 8), ''pgoutput'')') = '1 rows');
SELECT 'attack_' || left(md5(current_database()), 8) AS slot \gset
UPDATE stratum.campaigns SET clicks = clicks WHERE tenant_id = 2;
SELECT attack.remember();
\ir as_mallory.psql
BEGIN;
:enter;
SELECT attack.held('a slot of his own', attack.try('SELECT pg_create_logical_replication_slot(''mole'', ''pgoutput'')') = '42501');
SELECT attack.held('a temporary one', attack.try('SELECT pg_create_logical_replication_slot(''mole'', ''pgoutput'', true)') = '42501');
SELECT attack.held('a slot that is there', attack.try(format('SELECT pg_logical_slot_peek_binary_changes(%L, NULL, NULL, ''proto_version'', ''1'', ''publication_names'', ''p'')', :'slot')) = '42501');
SELECT attack.held('dropping it', attack.try(format('SELECT pg_drop_replication_slot(%L)', :'slot')) = '42501');
SELECT attack.held('a publication', attack.try('CREATE PUBLICATION mole FOR TABLE stratum.campaigns') = '42501');
SELECT attack.held('a subscription', attack.try('CREATE SUBSCRIPTION mole CONNECTION ''dbname=x'' PUBLICATION p WITH (connect = false)') = '42501');
SELECT attack.held('files of the server', attack.try('SELECT pg_read_binary_file(''PG_VERSION'')') = '42501' AND attack.try('SELECT pg_ls_waldir()') = '42501');
ROLLBACK;
\c - postgres
SELECT pg_drop_replication_slot(:'slot') \g /dev/null
