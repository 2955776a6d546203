-- serves-from: 0001
-- One row per event that a consumer has applied, written in the transaction of the effect: whoever finds it applies nothing again.
-- partition_hash and occurred_at let a replay see that a later event of the same partition key came first.
--
-- Shared migrations don't know the name of the serving role; a service's own migration grants it:
--   GRANT SELECT, INSERT ON processed_events TO <service>;
--   GRANT EXECUTE ON FUNCTION expire_processed_events(integer) TO <service>;
CREATE TABLE processed_events (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    partition_hash bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);

CREATE INDEX processed_events_by_partition ON processed_events (partition_hash, occurred_at);

-- No summary per block range: once places were filled again, a range that ever held an old row would count as old.
CREATE INDEX processed_events_by_time ON processed_events (processed_at);

-- Deletes at most `at_most` rows older than 30 days, which is longer than dead letters may be replayed without force. The only way to
-- delete one: the serving role may not.
CREATE FUNCTION expire_processed_events(at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    deleted integer;
BEGIN
    DELETE FROM processed_events WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM processed_events WHERE processed_at < now() - interval '30 days' ORDER BY processed_at
        LIMIT least(at_most, 10000) FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION expire_processed_events(integer) FROM PUBLIC;
