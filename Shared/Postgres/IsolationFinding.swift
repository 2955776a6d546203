/// One violation of the isolation of databases; its text names variables, roles and services and is safe to log.
package struct IsolationFinding: Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case ownVariableMissing = "own_variable_missing"
        case genericVariable = "generic_variable"
        case foreignVariable = "foreign_variable"
        case connectionVariable = "connection_variable"
        case stampMissing = "stamp_missing"
        case stampForeign = "stamp_foreign"
        case superuser = "superuser"
        case mayCreateRoles = "may_create_roles"
        case mayCreateDatabases = "may_create_databases"
        case ownsTable = "owns_table"
        case wrongRole = "wrong_role"
        case unsafeSetting = "unsafe_setting"
        case mayConnectElsewhere = "may_connect_elsewhere"
        case databaseNotOwned = "database_not_owned"
        case mayCreateTemporaryTables = "may_create_temporary_tables"
        case mayCreateSchemas = "may_create_schemas"
        case mayCreateInSchema = "may_create_in_schema"
        case functionWithoutSearchPath = "function_without_search_path"
        case mayConnectToMaintenanceDatabase = "may_connect_to_maintenance_database"
        case mayUseLargeObjects = "may_use_large_objects"
    }

    package let code: Code
    package let text: String
    /// The other service of the violation, where there is one.
    package let other: String?

    package init(_ code: Code, _ text: String, other: String? = nil) {
        self.code = code
        self.text = text
        self.other = other
    }

    package var description: String { "\(code.rawValue): \(text)" }
}

/// The findings that stop a process in `strict` mode.
package struct IsolationViolation: Error, Sendable, Hashable, CustomStringConvertible {
    package let findings: [IsolationFinding]

    package init(findings: [IsolationFinding]) { self.findings = findings }

    package var description: String {
        "database isolation: " + findings.map(\.description).joined(separator: "; ")
    }
}

extension DatabaseIsolation.Mode {
    /// Throws the findings when this mode is strict and there are any.
    /// - Returns: the findings to log as warnings.
    /// - Throws: `IsolationViolation`.
    @discardableResult
    package func enforce(_ findings: [IsolationFinding]) throws(IsolationViolation) -> [IsolationFinding] {
        switch self {
        case .strict:
            guard findings.isEmpty else { throw IsolationViolation(findings: findings) }
            return []
        case .warn:
            return findings
        }
    }
}
