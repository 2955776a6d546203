-- serves-from: 0003
-- One row per decided request: id is a digest of caller, principal and key; request its canonical form. A posting's answer is
-- rendered from its rows again; a refusal keeps its code and the request id under which it was first answered.
CREATE TABLE idempotency_keys (
    id uuid PRIMARY KEY,
    caller text NOT NULL,
    principal text NOT NULL,
    key text NOT NULL,
    request text NOT NULL,
    -- 1 posted, 2 wallet opened, 3 wallet changed, 4 refused
    outcome smallint NOT NULL CHECK (outcome BETWEEN 1 AND 4),
    subject_id uuid,
    subject_version bigint,
    refusal text,
    refused_request_id text,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_outcome CHECK (
        (outcome = 4 AND refusal IS NOT NULL) OR (outcome <> 4 AND subject_id IS NOT NULL AND refusal IS NULL))
);

-- Rows come in the order of time, so a summary per block range is enough to find the expired ones.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING brin (created_at) WITH (pages_per_range = 32);

-- Deletes at most `at_most` keys older than 30 days. The only way to delete one: the serving role may not.
CREATE FUNCTION expire_idempotency_keys(at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    deleted integer;
BEGIN
    PERFORM set_config('florin.expiring_keys', 'on', true);
    DELETE FROM idempotency_keys WHERE id IN (
        SELECT id FROM idempotency_keys WHERE created_at < now() - interval '30 days' LIMIT least(at_most, 10000)
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    PERFORM set_config('florin.expiring_keys', '', true);
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION expire_idempotency_keys(integer) FROM PUBLIC;
