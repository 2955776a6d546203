import Postgres

/// What shows when all URLs are compared pairwise, without asking any server.
struct PairFindings {
    let targets: [DatabaseTarget]

    var all: [FleetFinding] {
        var findings = targets.flatMap(ownerByName)
        for (index, first) in targets.enumerated() {
            for second in targets[(index + 1)...] {
                findings += first.service == second.service ? within(first, second) : between(first, second)
            }
        }
        return findings.withoutRepetitions()
    }

    private func ownerByName(_ target: DatabaseTarget) -> [FleetFinding] {
        guard target.process.kind != .migrate, let stamped = target.process.stampedService,
            target.address.role == ServiceRoles(service: stamped).owner
        else { return [] }
        return [
            FleetFinding(
                .ownerRoleInServe, service: target.service,
                "\(target.process.place): \(target.process.kind.rawValue) uses \(target.address.role), the role of migrate")
        ]
    }

    private func between(_ first: DatabaseTarget, _ second: DatabaseTarget) -> [FleetFinding] {
        var findings: [FleetFinding] = []
        if first.address.isSameDatabase(as: second.address), !first.process.mayShareDatabase(with: second.process) {
            findings.append(
                FleetFinding(
                    .sameDatabase, service: first.service, other: second.service,
                    "\(first.service) and \(second.service) both use database \(first.address.databaseDescription)"))
        }
        if first.address.role == second.address.role, first.address.isSameServer(as: second.address) {
            findings.append(
                FleetFinding(
                    .sharedRole, service: first.service, other: second.service,
                    "\(first.service) and \(second.service) both use role \(first.address.role) on the server of "
                        + first.address.databaseDescription))
        }
        return findings
    }

    /// The processes of one service share its database, but not their roles.
    private func within(_ first: DatabaseTarget, _ second: DatabaseTarget) -> [FleetFinding] {
        guard first.process.kind != second.process.kind, first.address.role == second.address.role,
            first.address.isSameServer(as: second.address)
        else { return [] }
        let migrateLast = first.process.kind == .migrate ? (second, first) : (first, second)
        let (one, two) = migrateLast
        guard two.process.kind == .migrate else {
            return [
                FleetFinding(
                    .sharedRole, service: one.service,
                    "\(one.process.place) and \(two.process.place): \(one.process.kind.rawValue) and \(two.process.kind.rawValue) share role "
                        + one.address.role)
            ]
        }
        // Said already by the role's name.
        guard one.address.role != ServiceRoles(service: one.process.stampedService ?? one.service).owner else { return [] }
        return [
            FleetFinding(
                .ownerRoleInServe, service: one.service,
                "\(one.process.place): \(one.process.kind.rawValue) uses \(one.address.role), the role of migrate (\(two.process.place))")
        ]
    }
}
