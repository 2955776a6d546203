-- serves-from: 0001
-- What happened, written in the transaction of the change. The id is drawn after the change's locks from a sequence without cache,
-- so that within one partition key ids rise in the order of commits.
CREATE TABLE outbox_events (
    id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    event_id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    partition_key text NOT NULL,
    occurred_at timestamptz NOT NULL,
    traceparent text,
    data text NOT NULL
);
