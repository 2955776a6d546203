-- serves-from: 0001
-- Work that calls the outside world. A row is claimed before its call, in a transaction of its own and under a lease, and settled by what
-- the call brought: so a process that dies in between leaves a row that says so. What the work is stands in a table of the service's own,
-- which refers to this one and is deleted with it.
--
-- Shared migrations don't know the name of the serving role; a service's own migration grants it:
--   GRANT SELECT, INSERT ON work_items TO <service>;
--   GRANT UPDATE (state, attempts, epoch, due_at, leased_until, error_class, reason, first_failed_at, last_failed_at, settled_at,
--       settled_by, note) ON work_items TO <service>;
--   GRANT EXECUTE ON FUNCTION expire_work_items(text, interval, integer) TO <service>;
CREATE TABLE work_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    -- For operators: the event that asked for it, and what kind of work it is.
    event_id uuid,
    kind text NOT NULL,
    -- unknown: it may have been done. dead: it was given up. Both wait for an operator. expired: it was no longer worth doing.
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'working', 'done', 'unknown', 'dead', 'expired', 'discarded')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Raised by each claim: a fencing token, by which the outcome of an earlier claim is known and refused.
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    due_at timestamptz NOT NULL DEFAULT now(),
    -- No attempt begins then or later.
    expires_at timestamptz NOT NULL,
    leased_until timestamptz,
    error_class text CHECK (error_class IN ('transient', 'poison', 'refused', 'unknown')),
    reason text CHECK (char_length(reason) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    settled_at timestamptz,
    settled_by text,
    note text CHECK (char_length(note) BETWEEN 1 AND 500),
    CONSTRAINT work_items_lease CHECK ((state = 'working') = (leased_until IS NOT NULL)),
    CONSTRAINT work_items_settled CHECK ((state IN ('done', 'expired', 'discarded')) = (settled_at IS NOT NULL)),
    CONSTRAINT work_items_failed CHECK (
        num_nonnulls(error_class, reason, first_failed_at, last_failed_at) IN (0, 4)
        AND (state NOT IN ('unknown', 'dead') OR error_class IS NOT NULL))
);

CREATE INDEX work_items_due ON work_items (queue, due_at, id) WHERE state = 'waiting';
CREATE INDEX work_items_waiting_by_end ON work_items (queue, expires_at) WHERE state = 'waiting';
CREATE INDEX work_items_leased ON work_items (queue, leased_until) WHERE state = 'working';
CREATE INDEX work_items_open ON work_items (queue, id) WHERE state IN ('unknown', 'dead');
CREATE INDEX work_items_settled ON work_items (queue, settled_at) WHERE state IN ('done', 'expired', 'discarded');

-- What is over stays over, and an epoch is never given twice.
CREATE FUNCTION check_work_item() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.state IN ('done', 'expired', 'discarded') THEN
        RAISE EXCEPTION 'work item % is over', OLD.id USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'work_items_end_once';
    END IF;
    IF NEW.epoch < OLD.epoch OR (NEW.state = 'working') <> (NEW.epoch > OLD.epoch) THEN
        RAISE EXCEPTION 'a claim, and nothing else, raises the epoch' USING ERRCODE = 'integrity_constraint_violation',
            CONSTRAINT = 'work_items_epoch';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION check_work_item() FROM PUBLIC;
CREATE TRIGGER work_items_state BEFORE UPDATE ON work_items FOR EACH ROW EXECUTE FUNCTION check_work_item();

-- Deletes at most `at_most` rows of a queue that were over for `kept` or longer, the oldest first. The only way to delete one; those that
-- wait for an operator stay.
CREATE FUNCTION expire_work_items(of_queue text, kept interval, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    deleted integer;
BEGIN
    IF kept IS NULL OR kept < interval '1 day' THEN
        RAISE EXCEPTION 'work is kept for a day at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM work_items WHERE id IN (
        SELECT id FROM work_items WHERE queue = of_queue AND state IN ('done', 'expired', 'discarded') AND settled_at < now() - kept
        ORDER BY settled_at LIMIT least(greatest(at_most, 0), 10000) FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION expire_work_items(text, interval, integer) FROM PUBLIC;
