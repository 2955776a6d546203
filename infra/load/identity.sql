-- The people of the identity table, as registration and sign-in leave them: all have a password, a role, a phone; the first :people sign in
-- in the cells, the others have signed in ten minutes ago and hold a refresh token, so that each of their refreshes is also a use of their
-- session. Secrets are made of numbers, so that the generator knows them.
CREATE TEMPORARY TABLE everybody AS
SELECT n, n > :people AS has_signed_in, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
    'person-' || n || '@example.com' AS email, now() - interval '10 minutes' AS last_used_at
FROM generate_series(1, :people + :families) n;

INSERT INTO users (id, status, email, email_key, name, created_at, changed_at)
SELECT id, 'active', email, email, 'Person ' || n, now() - interval '90 days', now() - interval '90 days' FROM everybody;
INSERT INTO user_roles (user_id, role, granted_by, granted_at) SELECT id, 'customer', 'registration', now() - interval '90 days' FROM everybody;
INSERT INTO passwords (user_id, phc, set_at) SELECT id, :'phc', now() - interval '90 days' FROM everybody;
-- A phone's secret is the SHA-256 of its owner's address.
INSERT INTO devices (id, user_id, key_hash, name, app, created_at, last_used_at)
SELECT id, id, sha256(sha256(convert_to(email, 'UTF8'))), 'Phone', 'Florin', now() - interval '90 days', last_used_at FROM everybody;
INSERT INTO sessions (id, user_id, device_id, client_id, credential_generation, amr, authenticated_at, created_at, last_used_at, unused_seconds,
    expires_at)
SELECT id, id, id, :'client', 1, '{pwd}', now() - interval '1 day', now() - interval '1 day', last_used_at, 14 * 86400, now() + interval '89 days'
FROM everybody WHERE has_signed_in;
INSERT INTO refresh_families (id, client_id, user_id, session_id, scopes, credential_generation, amr, authenticated_at, number, secret_hash,
    created_at, last_used_at, expires_at)
SELECT id, :'client', id, id, '{openid,wallet}', 1, '{pwd}', now() - interval '1 day', 1, sha256(sha256(convert_to('secret of ' || n, 'UTF8'))),
    now() - interval '1 day', last_used_at, now() + interval '89 days'
FROM everybody WHERE has_signed_in;
