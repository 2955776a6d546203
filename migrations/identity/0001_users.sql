-- serves-from: 0001
-- People, what they prove themselves with, and what they may do. There is no unverified user: a registration is a row of its own
-- (0008_mailed_codes.sql) until its mailed code is entered, so it confers nothing and stands in nobody's way.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    status text NOT NULL CHECK (status IN ('active', 'disabled', 'deleted')),
    -- As typed, to send to; NULL once the user is deleted.
    email text CHECK (length(email) BETWEEN 3 AND 254),
    -- The identity key (Domain/EmailAddress): what sign-in, uniqueness and counters compare.
    email_key text,
    name text CHECK (length(name) BETWEEN 1 AND 100),
    locale text NOT NULL DEFAULT 'en' CHECK (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    -- Raised in the transaction of every change of a credential, and of disable, recovery and "end all sessions". Flows, codes, sessions and
    -- refresh families carry the number that they began with; nothing is issued for another one.
    credential_generation bigint NOT NULL DEFAULT 1 CHECK (credential_generation > 0),
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT users_deleted_are_empty CHECK (
        CASE status WHEN 'deleted' THEN email IS NULL AND email_key IS NULL AND name IS NULL
        ELSE email IS NOT NULL AND email_key IS NOT NULL END)
);
CREATE UNIQUE INDEX users_by_email_key ON users (email_key);

-- The generation never falls, whoever writes, and nobody comes back from deletion.
CREATE FUNCTION keep_users_order() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.credential_generation < OLD.credential_generation THEN
        RAISE EXCEPTION 'a credential generation never falls' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'users_generation_rises';
    END IF;
    IF OLD.status = 'deleted' AND NEW.status <> 'deleted' THEN
        RAISE EXCEPTION 'a deleted user stays deleted' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'users_stay_deleted';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_users_order() FROM PUBLIC;
CREATE TRIGGER users_order BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keep_users_order();

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users (id),
    role text NOT NULL CHECK (role IN ('customer', 'support', 'risk-analyst', 'auditor', 'admin')),
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, role)
);

CREATE TABLE passwords (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    -- scrypt, as a PHC string.
    phc text NOT NULL CHECK (length(phc) BETWEEN 20 AND 300),
    -- Of the password, not of the hash: a rehash keeps it.
    set_at timestamptz NOT NULL,
    -- Shorter than 15: good only beside a second factor.
    is_short boolean NOT NULL DEFAULT false
);

-- TOTP (RFC 6238): at most one confirmed per user, and one being enrolled.
CREATE TABLE totp_credentials (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    -- Encrypted under IDENTITY_SECRET_KEYS_FILE, bound to the row's id.
    sealed_secret bytea NOT NULL CHECK (octet_length(sealed_secret) BETWEEN 40 AND 200),
    -- The time step of the last code that was accepted, through whatever door: a step is good once.
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz
);
CREATE UNIQUE INDEX totp_credentials_confirmed ON totp_credentials (user_id) WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX totp_credentials_pending ON totp_credentials (user_id) WHERE confirmed_at IS NULL;

CREATE FUNCTION keep_totp_steps() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.last_step < OLD.last_step THEN
        RAISE EXCEPTION 'a TOTP step is used once' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'totp_steps_rise';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_totp_steps() FROM PUBLIC;
CREATE TRIGGER totp_steps BEFORE UPDATE ON totp_credentials FOR EACH ROW EXECUTE FUNCTION keep_totp_steps();

-- Recovery codes: random enough (80 bits) that a plain SHA-256 is enough.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users (id),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, hash)
);

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO identity, identity_relay;
GRANT SELECT, INSERT ON users, user_roles, passwords, totp_credentials, recovery_codes TO identity;
GRANT UPDATE (status, email, email_key, name, locale, credential_generation, changed_at) ON users TO identity;
GRANT DELETE ON user_roles, passwords, totp_credentials, recovery_codes TO identity;
GRANT UPDATE (phc, set_at, is_short) ON passwords TO identity;
GRANT UPDATE (last_step, confirmed_at) ON totp_credentials TO identity;
GRANT UPDATE (used_at) ON recovery_codes TO identity;

-- The shared tables: idempotency keys, and the outbox, which is the relay's to read.
GRANT SELECT, INSERT ON idempotency_keys TO identity;
GRANT EXECUTE ON FUNCTION expire_idempotency_keys(integer) TO identity;
GRANT INSERT ON outbox_events TO identity;
GRANT SELECT ON outbox_events, outbox_events_id_seq, outbox_retention TO identity_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON relay_members, outbox_held TO identity_relay;
GRANT SELECT ON relay_partitions TO identity_relay;
GRANT UPDATE (owner, epoch, expires_at, published_through) ON relay_partitions TO identity_relay;
GRANT EXECUTE ON FUNCTION prune_outbox(interval, integer) TO identity_relay;
