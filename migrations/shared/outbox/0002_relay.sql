-- serves-from: 0001
-- What a relay keeps about the outbox. The events themselves stay as they were written: no column, no index and no update of theirs
-- says what was published, so publishing costs the transactions that write them nothing.

-- The relays of this outbox, each a process; how many they are decides how many partitions each may lease.
CREATE TABLE relay_members (
    owner text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- An event belongs to the partition hashtextextended(partition_key, 0) & 63. Whoever leases a partition publishes its events in the
-- order of their ids; the epoch rises with each change of hands, and what a former owner still says is recognized by it.
CREATE TABLE relay_partitions (
    partition smallint PRIMARY KEY CHECK (partition BETWEEN 0 AND 63),
    owner text,
    epoch bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Every event of the partition up to this id is published, or is in outbox_held; none with such an id will yet become visible.
    published_through bigint NOT NULL DEFAULT 0 CHECK (published_through >= 0)
) WITH (fillfactor = 40);
INSERT INTO relay_partitions (partition) SELECT generate_series(0, 63);

CREATE FUNCTION relay_partitions_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.published_through < OLD.published_through OR NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'a mark or an epoch of a partition does not go back' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'relay_partitions_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER relay_partitions_forward BEFORE UPDATE ON relay_partitions FOR EACH ROW EXECUTE FUNCTION relay_partitions_forward();

-- Events that could not be published (failing, parked after the last attempt, discarded by an operator), and those of the same
-- partition key that wait behind one that is failing.
CREATE TABLE outbox_held (
    id bigint PRIMARY KEY,
    partition smallint NOT NULL CHECK (partition BETWEEN 0 AND 63),
    partition_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('failing', 'waiting', 'parked', 'discarded')),
    attempts integer NOT NULL CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL,
    reason text,
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    note text,
    CONSTRAINT outbox_held_reason CHECK (state = 'waiting' OR (reason IS NOT NULL AND first_failed_at IS NOT NULL AND last_failed_at IS NOT NULL))
);
CREATE INDEX outbox_held_by_key ON outbox_held (partition_key, id);
CREATE INDEX outbox_held_due ON outbox_held (next_attempt_at) WHERE state = 'failing';

-- How far old events were deleted: one that occurred before this and is gone was published.
CREATE TABLE outbox_retention (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    deleted_before timestamptz NOT NULL DEFAULT '-infinity',
    deleted bigint NOT NULL DEFAULT 0
);
INSERT INTO outbox_retention DEFAULT VALUES;

-- Deletes at most `at_most` published events that occurred longer ago than `retention`, oldest first. The only way to delete one: no
-- role but the owner may. Held events stay until they are published or discarded. One caller at a time; the others delete nothing.
CREATE FUNCTION prune_outbox(retention interval, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    through bigint;
    cutoff timestamptz;
    removed integer;
BEGIN
    IF retention IS NULL OR retention < interval '1 hour' THEN
        RAISE EXCEPTION 'events are kept for an hour at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    cutoff := clock_timestamp() - retention;
    PERFORM FROM outbox_retention FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT min(published_through) INTO through FROM relay_partitions;
    DELETE FROM outbox_events WHERE id IN (
        SELECT id FROM (
            SELECT e.id, e.occurred_at FROM outbox_events e
            WHERE e.id <= through AND NOT EXISTS (SELECT FROM outbox_held h WHERE h.id = e.id AND h.state <> 'discarded')
            ORDER BY e.id LIMIT least(greatest(at_most, 0), 10000)
        ) oldest WHERE occurred_at < cutoff);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        DELETE FROM outbox_held h WHERE h.state = 'discarded' AND h.id <= through AND NOT EXISTS (SELECT FROM outbox_events e WHERE e.id = h.id);
        UPDATE outbox_retention SET deleted_before = greatest(deleted_before, cutoff), deleted = deleted + removed;
    END IF;
    RETURN removed;
END $$;
REVOKE ALL ON FUNCTION prune_outbox(interval, integer) FROM PUBLIC;
