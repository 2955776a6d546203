-- serves-from: 0001
-- One row per decided request with an Idempotency-Key, written in the transaction of what it decided; see Shared/Idempotency/README.md.
-- The service grants its serving role SELECT and INSERT on the table and EXECUTE on expire_idempotency_keys(integer); what its outcomes
-- are it may say in a CHECK named idempotency_keys_outcome.
CREATE TABLE idempotency_keys (
    -- A digest of caller, principal and key.
    id uuid PRIMARY KEY,
    caller text NOT NULL,
    principal text NOT NULL,
    key text NOT NULL,
    -- The request's fingerprint.
    request text NOT NULL,
    -- How it ended, by a number of the service's own, and the row and its version from which the answer is rendered again.
    outcome smallint NOT NULL,
    subject_id uuid,
    subject_version bigint,
    -- Of a refusal: its code and the id of the request that was refused first.
    refusal text,
    refused_request_id text,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_refusal CHECK (refusal IS NULL OR refused_request_id IS NOT NULL)
);

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE FUNCTION keep_idempotency_keys() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('florin.expiring_keys', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'idempotency_keys is append only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
REVOKE ALL ON FUNCTION keep_idempotency_keys() FROM PUBLIC;
CREATE TRIGGER idempotency_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION keep_idempotency_keys();

-- Deletes at most `at_most` keys older than 30 days. The only way to delete one: the serving role may not.
CREATE FUNCTION expire_idempotency_keys(at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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
