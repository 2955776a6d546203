-- serves-from: 0003
-- One row per decided request: id is a digest of caller, principal and key; request its canonical form, from which, with the alert, the
-- answer is rendered again. A refusal keeps the request id under which it was first answered.
CREATE TABLE idempotency_keys (
    id uuid PRIMARY KEY,
    caller text NOT NULL,
    principal text NOT NULL,
    key text NOT NULL,
    request text NOT NULL,
    refused_request_id text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE TRIGGER idempotency_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Deletes at most `at_most` keys older than 30 days. The only way to delete one: the serving role may not.
CREATE FUNCTION expire_idempotency_keys(at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    deleted integer;
BEGIN
    PERFORM set_config('florin.expiring_keys', 'on', true);
    DELETE FROM idempotency_keys WHERE id IN (
        SELECT id FROM idempotency_keys WHERE created_at < now() - interval '30 days' ORDER BY created_at LIMIT least(at_most, 10000)
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    PERFORM set_config('florin.expiring_keys', '', true);
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION expire_idempotency_keys(integer) FROM PUBLIC;
