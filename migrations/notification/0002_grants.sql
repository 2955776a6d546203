-- serves-from: 0002
-- The serving role owns nothing and may only do what serving needs; there is no outbox, so the relay's role may nothing.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO notification;

GRANT SELECT, INSERT ON deliveries TO notification;
GRANT UPDATE (sealed_key_id, encapsulated_key, ciphertext) ON deliveries TO notification;

GRANT SELECT, INSERT ON work_items TO notification;
GRANT UPDATE (state, attempts, epoch, due_at, leased_until, error_class, reason, first_failed_at, last_failed_at, settled_at, settled_by,
    note) ON work_items TO notification;
GRANT EXECUTE ON FUNCTION expire_work_items(text, interval, integer) TO notification;

GRANT SELECT, INSERT ON processed_events, dead_letter_events, replay_runs TO notification;
GRANT UPDATE (type, partition_key, occurred_at, traceparent, message_id, content_type, routing_key, headers, body, body_key_id,
    body_mac, error_class, reason, attempts, first_failed_at, last_failed_at, status, replay_run, note, settled_at, settled_by,
    published_by) ON dead_letter_events TO notification;
GRANT UPDATE (selected, replayed, already_applied, failed, skipped, finished_at, ending) ON replay_runs TO notification;
GRANT EXECUTE ON FUNCTION expire_processed_events(integer), expire_dead_letters(integer) TO notification;
