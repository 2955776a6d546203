/// The version of a namespace's schema that a binary was built for.
package struct SchemaRequirement: Sendable, Hashable {
    package let namespace: String
    package let version: Int

    package init(namespace: String, version: Int) {
        self.namespace = namespace
        self.version = version
    }

    /// Refuses a schema that is behind this version, or that a later migration has closed to it.
    ///
    /// A schema that is ahead is welcome as long as every later migration serves this version: old pods restart during a roll-out.
    /// - Throws: `MigrationError.schemaBehind` or `.schemaClosed`; `PostgresError`.
    package func check(_ session: PostgresSession) throws {
        let applied = try AppliedMigration.all(session).filter { $0.namespace == namespace }
        let newest = applied.map(\.version).max() ?? 0
        guard newest >= version else {
            throw MigrationError.schemaBehind(namespace: namespace, required: version, applied: newest)
        }
        for later in applied where later.version > version && later.servesFrom > version {
            throw MigrationError.schemaClosed(namespace: namespace, required: version, by: later.version, servesFrom: later.servesFrom)
        }
    }
}

extension Migrator {
    /// Refuses to serve on a schema that doesn't fit the binary these files belong to.
    /// - Throws: as `SchemaRequirement.check`.
    package func check(_ session: PostgresSession) throws {
        for requirement in requiredVersions { try requirement.check(session) }
    }
}
