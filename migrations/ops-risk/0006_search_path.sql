-- serves-from: 0004
-- Where a function looks is its own to say, not its caller's: see 0003 of the outbox.
ALTER FUNCTION prune_customer_debits(interval, integer) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION expire_idempotency_keys(integer) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION check_risk_alert() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION refuse_change() SET search_path = pg_catalog, public, pg_temp;
REVOKE EXECUTE ON FUNCTION check_risk_alert(), refuse_change() FROM PUBLIC;
