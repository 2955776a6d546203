-- serves-from: 0001
-- A toy: boxes that are filled, each filling once for its key.
CREATE TABLE boxes (
    id uuid PRIMARY KEY,
    content bigint NOT NULL DEFAULT 0
);
CREATE TABLE fillings (
    id uuid PRIMARY KEY,
    box_id uuid NOT NULL,
    amount bigint NOT NULL,
    content_after bigint NOT NULL
);

-- A row here ends the connection in the COMMIT of its transaction.
CREATE TABLE lost_commits (id uuid);
CREATE FUNCTION lose_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid());
    PERFORM pg_sleep(60);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lost_commits AFTER INSERT ON lost_commits DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lose_commit();

GRANT USAGE ON SCHEMA public TO identity;
GRANT SELECT, INSERT, UPDATE ON boxes TO identity;
GRANT SELECT, INSERT ON fillings, lost_commits TO identity;

-- As migrations/shared/idempotency asks for.
GRANT SELECT, INSERT ON idempotency_keys TO identity;
GRANT EXECUTE ON FUNCTION expire_idempotency_keys(integer) TO identity;
