-- serves-from: 0001
-- What the tests' handlers do. Nothing here keeps an event from having its effect twice: the tests must see it.
CREATE TABLE effects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    number bigint NOT NULL,
    attempt integer NOT NULL
);
CREATE TABLE faults (number bigint PRIMARY KEY);

GRANT USAGE ON SCHEMA public TO ops_risk;
GRANT SELECT, INSERT ON effects, faults TO ops_risk;

-- As migrations/shared/consumption asks for.
GRANT SELECT, INSERT ON processed_events, dead_letter_events, replay_runs TO ops_risk;
GRANT UPDATE (type, partition_key, occurred_at, traceparent, message_id, content_type, routing_key, headers, body, body_key_id,
    body_mac, error_class, reason, attempts, first_failed_at, last_failed_at, status, replay_run, note, settled_at, settled_by)
    ON dead_letter_events TO ops_risk;
GRANT UPDATE (selected, replayed, already_applied, failed, skipped, finished_at, ending) ON replay_runs TO ops_risk;
GRANT EXECUTE ON FUNCTION expire_processed_events(integer), expire_dead_letters(integer) TO ops_risk;
