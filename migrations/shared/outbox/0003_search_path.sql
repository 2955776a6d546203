-- serves-from: 0001
-- Where a function looks is its own to say, not its caller's: a session may put a table, a type or an operator of its own before the
-- service's. Without a mention pg_temp comes first of all, so it is named, last.
ALTER FUNCTION relay_partitions_forward() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION prune_outbox(interval, integer) SET search_path = pg_catalog, public, pg_temp;
-- A trigger's function needs no privilege where it runs.
REVOKE EXECUTE ON FUNCTION relay_partitions_forward() FROM PUBLIC;
