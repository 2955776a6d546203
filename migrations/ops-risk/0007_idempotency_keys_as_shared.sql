-- serves-from: 0004
-- As migrations/shared/idempotency has the table, which was made here before there was a shared one. Binaries of before write a refusal by
-- its request id alone and leave the rest to the defaults, which a later release drops.
ALTER TABLE idempotency_keys
    -- 1 resolved, 2 refused
    ADD COLUMN outcome smallint NOT NULL DEFAULT 1,
    ADD COLUMN subject_id uuid,
    ADD COLUMN subject_version bigint,
    ADD COLUMN refusal text,
    ADD CONSTRAINT idempotency_keys_refusal CHECK (refusal IS NULL OR refused_request_id IS NOT NULL),
    ADD CONSTRAINT idempotency_keys_outcome CHECK (CASE outcome WHEN 1 THEN refusal IS NULL WHEN 2 THEN refusal IS NOT NULL ELSE false END);

CREATE FUNCTION keep_idempotency_keys() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('florin.expiring_keys', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'idempotency_keys is append only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
REVOKE ALL ON FUNCTION keep_idempotency_keys() FROM PUBLIC;
CREATE OR REPLACE TRIGGER idempotency_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION keep_idempotency_keys();

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'no % of %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
