-- serves-from: 0010
-- What the purge of sessions and devices looks for: whatever still names a session or a device keeps it.
CREATE INDEX refresh_families_by_any_session ON refresh_families (session_id);
CREATE INDEX authorization_codes_by_session ON authorization_codes (session_id);
CREATE INDEX sign_in_flows_by_session ON sign_in_flows (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX sessions_by_device ON sessions (device_id);
CREATE INDEX devices_by_use ON devices (last_used_at);
