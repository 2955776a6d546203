extension DatabaseIsolation {
    /// Whether the session's role is the one that the process should have, and no other of the service.
    ///
    /// A login that is a member of that role, inherits its rights and is a member of no other role of the service is as good: passwords are
    /// rotated by logins such as `wallet_ledger_2026a`. It takes over rights, not what `ALTER ROLE ... SET` says of the role. Only `migrate`
    /// needs the owner itself, because what it makes belongs to the role that it runs as.
    func ownRoleFindings(_ session: PostgresSession, phase: Phase) throws(PostgresError) -> [IsolationFinding] {
        let expected =
            switch phase {
            case .migrate: roles.owner
            case .serve: roles.serving
            case .relay: roles.relay
            }
        let rows = try session.query(
            """
            SELECT rolname::text, pg_has_role(current_user, oid, 'USAGE') FROM pg_roles
            WHERE rolname = ANY(\(roles.all)) AND pg_has_role(current_user, oid, 'MEMBER') ORDER BY rolname
            """)
        let memberships: [(name: String, isInherited: Bool)] = try rows.map { row throws(PostgresError) in
            try row.decode(String.self, Bool.self)
        }
        let role = try session.query("SELECT current_user::text")[0].decode(String.self)
        let isOwn = phase == .migrate ? role == expected : memberships.contains { $0.name == expected && $0.isInherited }
        guard isOwn else { return [IsolationFinding(.wrongRole, "role \(role) is not the process's own; \(expected) is expected")] }
        let others = memberships.map(\.name).filter { $0 != expected }
        guard phase != .migrate, !others.isEmpty else { return [] }
        return [IsolationFinding(.wrongRole, "role \(role) may act as \(others.joined(separator: " and ")) as well; \(expected) alone is expected")]
    }
}
