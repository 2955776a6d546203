-- serves-from: 0004
-- Devices, as a person sees them, and their sessions. A session is alive while `ended_at` is NULL, neither time limit has passed, and its
-- generation is the user's.
CREATE TABLE devices (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    -- SHA-256 of the secret that the device keeps (the __Host- device cookie, or the app's device id and secret).
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The program, as it named itself: "Firefox on Linux", "Florin for iOS".
    app text NOT NULL CHECK (length(app) <= 200),
    -- Where it was last seen from: a network prefix (/24, /48), never a whole address.
    place text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX devices_by_key ON devices (user_id, key_hash) WHERE removed_at IS NULL;

CREATE TABLE sessions (
    -- `sid` in tokens, with the prefix ses_.
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    device_id uuid NOT NULL REFERENCES devices (id),
    -- NULL for a browser's session, which signs in to many clients; otherwise the first-party client that signed the user in itself.
    client_id text REFERENCES clients (id),
    -- SHA-256 of the session cookie; NULL for an app's.
    cookie_hash bytea CHECK (octet_length(cookie_hash) = 32),
    credential_generation bigint NOT NULL,
    -- What was really verified: pwd, otp (RFC 8176), recovery_code.
    amr text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    -- When the second factor was last verified; NULL if never.
    second_factor_at timestamptz,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    -- It also ends when it was not used for so long (Domain/SessionLife); NULL: only at expires_at.
    unused_seconds integer CHECK (unused_seconds > 0),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('signed_out', 'ended_by_user', 'credentials_changed', 'disabled', 'deleted', 'theft', 'replaced')),
    CONSTRAINT sessions_ended CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT sessions_kind CHECK ((cookie_hash IS NULL) = (client_id IS NOT NULL))
);
CREATE UNIQUE INDEX sessions_by_cookie ON sessions (cookie_hash) WHERE cookie_hash IS NOT NULL;
CREATE INDEX sessions_by_user ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- An ended session stays ended.
CREATE FUNCTION keep_sessions_ended() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
        RAISE EXCEPTION 'an ended session stays ended' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'sessions_stay_ended';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_sessions_ended() FROM PUBLIC;
CREATE TRIGGER sessions_ended_for_good BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION keep_sessions_ended();

GRANT SELECT, INSERT ON devices, sessions TO identity;
GRANT UPDATE (name, app, place, last_used_at, removed_at) ON devices TO identity;
GRANT UPDATE (cookie_hash, credential_generation, amr, authenticated_at, second_factor_at, last_used_at, ended_at, end_reason)
    ON sessions TO identity;
GRANT DELETE ON devices, sessions TO identity;
