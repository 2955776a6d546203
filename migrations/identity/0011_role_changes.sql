-- serves-from: 0011
-- A role can be taken back, and sessions end when what their user may do changes.
ALTER TABLE operator_acts
    DROP CONSTRAINT operator_acts_act_check,
    ADD CONSTRAINT operator_acts_act_check CHECK (act IN ('created', 'role_granted', 'role_revoked', 'disabled')),
    DROP CONSTRAINT operator_acts_role,
    ADD CONSTRAINT operator_acts_role CHECK ((act IN ('role_granted', 'role_revoked')) = (role IS NOT NULL));

ALTER TABLE sessions
    DROP CONSTRAINT sessions_end_reason_check,
    ADD CONSTRAINT sessions_end_reason_check CHECK (
        end_reason IN ('signed_out', 'ended_by_user', 'credentials_changed', 'roles_changed', 'disabled', 'deleted', 'theft', 'replaced'));
