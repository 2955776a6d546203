-- serves-from: 0009
-- What operators did to accounts by the command line: who asked for it, and when. It outlives the account's data and holds none of it.
CREATE TABLE operator_acts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    act text NOT NULL CHECK (act IN ('created', 'role_granted', 'disabled')),
    role text,
    requested_by text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 500),
    acted_at timestamptz NOT NULL,
    CONSTRAINT operator_acts_role CHECK ((act = 'role_granted') = (role IS NOT NULL))
);
CREATE INDEX operator_acts_by_user ON operator_acts (user_id, id);

CREATE FUNCTION keep_operator_acts() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'operator_acts is append only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
REVOKE ALL ON FUNCTION keep_operator_acts() FROM PUBLIC;
CREATE TRIGGER operator_acts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_acts
    FOR EACH STATEMENT EXECUTE FUNCTION keep_operator_acts();

GRANT SELECT, INSERT ON operator_acts TO identity;
