-- serves-from: 0006
CREATE TABLE authorization_codes (
    -- SHA-256 of the code.
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    client_id text NOT NULL REFERENCES clients (id),
    -- NULL when it came from authorize-challenge, where there is none.
    redirect_uri text,
    code_challenge text NOT NULL CHECK (code_challenge ~ '^[A-Za-z0-9_-]{43}$'),
    nonce text,
    scopes text[] NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    session_id uuid NOT NULL REFERENCES sessions (id),
    credential_generation bigint NOT NULL,
    amr text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    second_factor_at timestamptz,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    -- What it was redeemed for, to be revoked when it comes again; NULL without offline access.
    family_id uuid
);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

-- A grant that can be refreshed: one row however often it is. A token names its family, its number and a secret.
CREATE TABLE refresh_families (
    id uuid PRIMARY KEY,
    client_id text NOT NULL REFERENCES clients (id),
    user_id uuid NOT NULL REFERENCES users (id),
    session_id uuid NOT NULL REFERENCES sessions (id),
    scopes text[] NOT NULL,
    credential_generation bigint NOT NULL,
    nonce text,
    amr text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    second_factor_at timestamptz,
    -- The token that is good now, by number and by SHA-256 of its secret.
    number bigint NOT NULL CHECK (number > 0),
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    -- The one before: a repeat within the grace gets the same successor, which only who holds the one before can decrypt.
    previous_secret_hash bytea CHECK (octet_length(previous_secret_hash) = 32),
    sealed_successor bytea,
    rotated_at timestamptz,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoke_reason text CHECK (revoke_reason IN ('revoked', 'code_reuse', 'theft', 'session_ended', 'signed_out')),
    CONSTRAINT refresh_families_revoked CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
)
-- Rewritten with every refresh; with room in its page the new version needs no index entry, and the old one goes without a vacuum.
WITH (fillfactor = 50);
CREATE INDEX refresh_families_by_session ON refresh_families (session_id) WHERE revoked_at IS NULL;
CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);
CREATE INDEX refresh_families_by_revocation ON refresh_families (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE FUNCTION keep_refresh_order() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.number NOT BETWEEN OLD.number AND OLD.number + 1 THEN
        RAISE EXCEPTION 'a refresh token has one successor' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refresh_families_one_by_one';
    END IF;
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'a revoked family stays revoked' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refresh_families_stay_revoked';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_refresh_order() FROM PUBLIC;
CREATE TRIGGER refresh_families_order BEFORE UPDATE ON refresh_families FOR EACH ROW EXECUTE FUNCTION keep_refresh_order();

GRANT SELECT, INSERT, DELETE ON authorization_codes, refresh_families TO identity;
GRANT UPDATE (used_at, family_id) ON authorization_codes TO identity;
GRANT UPDATE (credential_generation, number, secret_hash, previous_secret_hash, sealed_successor, rotated_at, last_used_at, revoked_at,
        revoke_reason)
    ON refresh_families TO identity;
