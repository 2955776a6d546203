-- serves-from: 0008
-- Registrations and recoveries: each waits for the code that was mailed, and is bound to who began it (the browser's cookie, or the flow's
-- handle that the app was given). A taken or unknown address gets a row like any other, so that nothing tells.
CREATE TABLE mailed_codes (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('registration', 'recovery')),
    -- SHA-256 of the handle.
    owner_hash bytea NOT NULL CHECK (octet_length(owner_hash) = 32),
    state text NOT NULL CHECK (state IN ('code', 'second_factor', 'new_password', 'finished')),
    email text NOT NULL,
    email_key text NOT NULL,
    -- Recovery: whose; NULL for an unknown address. Registration: whom it became.
    user_id uuid REFERENCES users (id),
    credential_generation bigint,
    -- Registration: what becomes valid with the code, and is moved away with it.
    password_phc text,
    name text,
    locale text NOT NULL CHECK (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    -- The code, encrypted under IDENTITY_SECRET_KEYS_FILE and bound to the row's id: a digest of six digits would be no secret. NULL where
    -- none was sent, for whatever reason: then none is right, so that the budget of mails bounds the guesses too.
    sealed_code bytea CHECK (octet_length(sealed_code) BETWEEN 30 AND 200),
    wrong_codes smallint NOT NULL DEFAULT 0 CHECK (wrong_codes BETWEEN 0 AND 5),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT mailed_codes_of_somebody CHECK (state = 'code' OR user_id IS NOT NULL),
    CONSTRAINT mailed_codes_password CHECK ((password_phc IS NOT NULL) = (kind = 'registration' AND state = 'code'))
);
CREATE UNIQUE INDEX mailed_codes_by_owner ON mailed_codes (owner_hash);
CREATE INDEX mailed_codes_by_address ON mailed_codes (email_key);
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_at);

-- The only way to a new password is by the mailed code, and by the second factor where there is one: no UPDATE skips a step or goes back.
CREATE FUNCTION keep_mailed_codes_order() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'code' THEN (OLD.kind = 'registration') = (NEW.state = 'finished')
        WHEN 'second_factor' THEN NEW.state = 'new_password'
        WHEN 'new_password' THEN NEW.state = 'finished'
        ELSE false END)
    THEN
        RAISE EXCEPTION 'a mailed code''s steps come one after the other' USING ERRCODE = 'integrity_constraint_violation',
            CONSTRAINT = 'mailed_codes_order';
    END IF;
    IF NEW.wrong_codes < OLD.wrong_codes THEN
        RAISE EXCEPTION 'wrong codes stay counted' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'mailed_codes_counted';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_mailed_codes_order() FROM PUBLIC;
CREATE TRIGGER mailed_codes_order BEFORE UPDATE ON mailed_codes FOR EACH ROW EXECUTE FUNCTION keep_mailed_codes_order();

GRANT SELECT, INSERT, DELETE ON mailed_codes TO identity;
GRANT UPDATE (state, user_id, password_phc, sealed_code, wrong_codes, expires_at) ON mailed_codes TO identity;
