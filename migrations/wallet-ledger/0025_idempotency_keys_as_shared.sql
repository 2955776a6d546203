-- serves-from: 0015
-- As migrations/shared/idempotency has the table, which was made here before there was a shared one. The new rule holds for rows from now
-- on at once, and for the earlier ones when the next migration has read them without keeping postings waiting.
ALTER TABLE idempotency_keys
    ADD CONSTRAINT idempotency_keys_refusal CHECK (refusal IS NULL OR refused_request_id IS NOT NULL) NOT VALID;

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
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
