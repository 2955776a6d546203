-- serves-from: 0001
-- What a service has of its work: a name, and whether it was erased.
CREATE TABLE pieces (
    work_item bigint PRIMARY KEY REFERENCES work_items (id) ON DELETE CASCADE,
    name text NOT NULL,
    last_state text
);
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO audit_export;
GRANT SELECT, INSERT, UPDATE ON pieces TO audit_export;
GRANT SELECT, INSERT ON work_items TO audit_export;
GRANT UPDATE (state, attempts, epoch, due_at, leased_until, error_class, reason, first_failed_at, last_failed_at, settled_at, settled_by,
    note) ON work_items TO audit_export;
GRANT EXECUTE ON FUNCTION expire_work_items(text, interval, integer) TO audit_export;
