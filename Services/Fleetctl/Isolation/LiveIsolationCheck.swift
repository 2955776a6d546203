import Postgres

/// What the servers themselves say: each role about its own database, and at the doors of all others.
package struct LiveIsolationCheck: Sendable {
    /// A target that could not be asked.
    package struct Unreachable: Sendable, Hashable {
        package let service: String
        package let detail: String

        /// libpq lays its words out over several lines.
        init(service: String, detail: String) {
            self.service = service
            self.detail = detail.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// How long a server has to answer at another service's door.
    private static let attemptLimit: Duration = .seconds(5)

    package let findings: [FleetFinding]
    package let unreachable: [Unreachable]
    /// How many databases were reached by roles of their own.
    package let reached: Int

    /// Asks all targets, one after the other.
    package static func run(_ targets: [DatabaseTarget]) async -> LiveIsolationCheck {
        var findings: [FleetFinding] = []
        var unreachable: [Unreachable] = []
        var reached: [Reached] = []
        for target in targets {
            do {
                let (found, identity) = try await ask(target)
                findings += found
                reached.append(Reached(target: target, identity: identity))
            } catch {
                unreachable.append(Unreachable(service: target.service, detail: "\(target.process.place): \(error)"))
            }
        }
        findings += sameDatabases(reached)
        let (accepted, undecided) = await knock(targets, at: reached)
        return LiveIsolationCheck(
            findings: (findings + accepted).withoutRepetitions(), unreachable: unreachable + undecided, reached: reached.count)
    }

    private struct Reached {
        let target: DatabaseTarget
        let identity: DatabaseIdentity?
    }

    private static func ask(_ target: DatabaseTarget) async throws -> ([FleetFinding], DatabaseIdentity?) {
        let connection = try await PostgresConnection.connect(target.configuration)
        let isolation = DatabaseIsolation(service: target.process.stampedService ?? target.service, rolesOf: target.service)
        let (findings, identity) = try await connection.withSession { session in
            let phase = target.process.kind.phase
            let own = try isolation.findings(session, phase: phase) + DatabaseIsolation.serverFindings(session)
            // An owner's rights are not an administrator's to take.
            let administrators = phase == .migrate ? [] : try isolation.administratorFindings(session)
            return (own + administrators, try DatabaseIdentity(session))
        }
        await connection.close()
        return (findings.map { FleetFinding($0, of: target.process) }, identity)
    }

    /// One database under two addresses, which no comparison of URLs shows.
    private static func sameDatabases(_ reached: [Reached]) -> [FleetFinding] {
        var findings: [FleetFinding] = []
        for (index, first) in reached.enumerated() {
            for second in reached[(index + 1)...] {
                let (one, two) = (first.target, second.target)
                guard let identity = first.identity, identity == second.identity, !one.process.mayShareDatabase(with: two.process),
                    !one.address.isSameDatabase(as: two.address)
                else { continue }
                findings.append(
                    FleetFinding(
                        .sameDatabase, service: one.service, other: two.service,
                        "\(one.address.databaseDescription) of \(one.service) and \(two.address.databaseDescription) of \(two.service) are "
                            + "one database"))
            }
        }
        return findings
    }

    /// Tries each role on each database of another service.
    private static func knock(_ targets: [DatabaseTarget], at reached: [Reached]) async -> ([FleetFinding], [Unreachable]) {
        var findings: [FleetFinding] = []
        var undecided: [Unreachable] = []
        for target in targets {
            var tried: Set<String> = []
            for door in reached.map(\.target) where !target.process.mayShareDatabase(with: door.process) {
                // One database is one door, whose ever URL led to it; the same database was named before.
                guard !target.address.isSameDatabase(as: door.address), tried.insert(door.address.databaseDescription).inserted else { continue }
                let answer = await door.configuration.connecting(asRoleOf: target.configuration).attempt(within: attemptLimit)
                let role = "role \(target.address.role) of \(target.service)"
                if answer == .accepted {
                    findings.append(
                        FleetFinding(
                            .connectedElsewhere, service: target.service, other: door.service,
                            "\(role) can connect to database \(door.address.databaseDescription) of \(door.service)"))
                } else if !answer.isRefusalForGood {
                    undecided.append(
                        Unreachable(
                            service: target.service,
                            detail: "\(role) at database \(door.address.databaseDescription) of \(door.service): \(answer)"))
                }
            }
        }
        return (findings, undecided)
    }
}
