-- serves-from: 0008
-- Registrations and recoveries: each waits for the code that was mailed, and is bound to who began it (the browser's cookie, or the flow's
-- handle that the app was given). A taken address gets a row like any other, so that nothing tells: its code was never drawn.
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
    -- Registration: what becomes valid with the code.
    password_phc text,
    password_is_short boolean,
    name text,
    locale text NOT NULL,
    -- SHA-256 of id and code; NULL where none was drawn.
    code_hash bytea CHECK (octet_length(code_hash) = 32),
    wrong_codes smallint NOT NULL DEFAULT 0 CHECK (wrong_codes BETWEEN 0 AND 5),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX mailed_codes_by_owner ON mailed_codes (owner_hash);
CREATE INDEX mailed_codes_by_address ON mailed_codes (email_key, kind, created_at);
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_at);

GRANT SELECT, INSERT, DELETE ON mailed_codes TO identity;
GRANT UPDATE (owner_hash, state, user_id, credential_generation, password_phc, password_is_short, code_hash, wrong_codes)
    ON mailed_codes TO identity;
