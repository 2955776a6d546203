-- serves-from: 0001
-- Events that a consumer gave up, until somebody replays or discards them; and who replayed what. The body is encrypted (AES-256-GCM)
-- under a key of DEAD_LETTER_KEYS_FILE.
--
-- A service's own migration grants to its serving role:
--   GRANT SELECT, INSERT ON dead_letter_events, replay_runs TO <service>;
--   GRANT UPDATE (type, partition_key, occurred_at, traceparent, message_id, content_type, routing_key, headers, body, body_key_id,
--       body_mac, error_class, reason, attempts, first_failed_at, last_failed_at, status, replay_run, note, settled_at, settled_by)
--       ON dead_letter_events TO <service>;
--   GRANT UPDATE (selected, replayed, already_applied, failed, skipped, finished_at, ending) ON replay_runs TO <service>;
--   GRANT EXECUTE ON FUNCTION expire_dead_letters(integer) TO <service>;
CREATE TABLE replay_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    requested_by text NOT NULL,
    note text,
    filter jsonb NOT NULL,
    -- What was found before the first was replayed: how many were new, already applied, out of order, too old.
    plan jsonb NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    -- NULL of one that runs, or was killed.
    finished_at timestamptz,
    ending text CHECK (ending IN ('completed', 'canary', 'circuit_open', 'interrupted')),
    selected integer NOT NULL DEFAULT 0,
    replayed integer NOT NULL DEFAULT 0,
    already_applied integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    CONSTRAINT replay_runs_end CHECK ((finished_at IS NULL) = (ending IS NULL))
);

CREATE TABLE dead_letter_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    -- NULL of a message in which none can be read, and so are the next four.
    event_id uuid,
    type text,
    partition_key text,
    occurred_at timestamptz,
    traceparent text,
    message_id text,
    content_type text,
    routing_key text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    body_key_id text NOT NULL,
    -- A keyed digest, by which the same body is known again under the same key.
    body_mac bytea NOT NULL,
    error_class text NOT NULL CHECK (error_class IN ('transient', 'poison', 'refused', 'unsupported')),
    reason text NOT NULL,
    attempts integer NOT NULL CHECK (attempts > 0),
    first_failed_at timestamptz NOT NULL,
    last_failed_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'discarded')),
    replay_run bigint REFERENCES replay_runs (id),
    note text,
    settled_at timestamptz,
    settled_by text,
    CONSTRAINT dead_letter_events_settled CHECK ((status = 'open') = (settled_at IS NULL))
);

-- The same event is one dead letter, however often it dies.
CREATE UNIQUE INDEX dead_letter_events_by_event ON dead_letter_events (consumer, event_id) WHERE event_id IS NOT NULL;
CREATE UNIQUE INDEX dead_letter_events_by_body ON dead_letter_events (consumer, body_mac) WHERE event_id IS NULL;
CREATE INDEX dead_letter_events_open ON dead_letter_events (consumer, last_failed_at) WHERE status = 'open';
CREATE INDEX dead_letter_events_settled ON dead_letter_events (settled_at) WHERE status <> 'open';

-- Deletes at most `at_most` dead letters that were settled 90 days ago or earlier; open ones stay until somebody settles them.
CREATE FUNCTION expire_dead_letters(at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    deleted integer;
BEGIN
    DELETE FROM dead_letter_events WHERE id IN (
        SELECT id FROM dead_letter_events WHERE status <> 'open' AND settled_at < now() - interval '90 days'
        LIMIT least(at_most, 10000) FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION expire_dead_letters(integer) FROM PUBLIC;
