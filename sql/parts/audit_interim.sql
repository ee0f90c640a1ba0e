-- Interim: whoever lands audit.sql removes this file and its line in sql/order.
CREATE FUNCTION stratum._attach_audit_guard() RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION stratum._audit_stratum_table(text, text[], text) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION stratum._restore_audit_triggers() RETURNS void LANGUAGE sql AS 'SELECT';
