-- serves-from: 0001
-- Where a function looks is its own to say, not its caller's: see 0003 of the outbox.
ALTER FUNCTION expire_processed_events(integer) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION expire_dead_letters(integer) SET search_path = pg_catalog, public, pg_temp;
