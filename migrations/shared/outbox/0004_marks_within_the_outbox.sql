-- serves-from: 0001
-- A mark beyond the last id that was drawn would hide events that are yet to be written: they lie behind it unpublished. None can be set.
-- One that is there all the same (a restored backup, somebody's hand) is void: it says nothing of what was published, and so nothing is
-- published or deleted by it, until it is put back among the ids; meanwhile it may be the largest number there is, which the ids don't
-- reach. An epoch rises one by one, so that it never runs out.
CREATE OR REPLACE FUNCTION relay_partitions_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last_id bigint;
BEGIN
    IF NEW.epoch NOT BETWEEN OLD.epoch AND OLD.epoch + 1 THEN
        RAISE EXCEPTION 'the epoch of a partition rises one by one' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'relay_partitions_forward';
    END IF;
    IF NEW.published_through = OLD.published_through THEN
        RETURN NEW;
    END IF;
    last_id := coalesce(pg_sequence_last_value('outbox_events_id_seq'), 0);
    IF NEW.published_through < OLD.published_through AND OLD.published_through <= last_id THEN
        RAISE EXCEPTION 'the mark of a partition does not go back' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'relay_partitions_forward';
    END IF;
    IF NEW.published_through > last_id AND NOT (OLD.published_through > last_id AND NEW.published_through = 9223372036854775807) THEN
        RAISE EXCEPTION 'the mark of a partition lies beyond every event' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'relay_partitions_within_outbox';
    END IF;
    RETURN NEW;
END $$;

-- As in 0002; but while a mark is void nothing is deleted.
CREATE OR REPLACE FUNCTION prune_outbox(retention interval, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    through bigint;
    furthest bigint;
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
    SELECT min(published_through), max(published_through) INTO through, furthest FROM relay_partitions;
    IF furthest > coalesce(pg_sequence_last_value('outbox_events_id_seq'), 0) THEN
        RETURN 0;
    END IF;
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
