/// What shows from the Secrets that workloads name, whose content need not be known.
struct SecretFindings {
    let processes: [FleetProcess]

    var all: [FleetFinding] {
        var findings: [FleetFinding] = []
        for process in processes {
            findings += owner(process)
            for other in processes where other.service != process.service { findings += shared(process, other) }
        }
        return findings.withoutRepetitions()
    }

    /// Whether `process` has a Secret from which `other` takes its own URL. Each pair is named once where both take it as theirs.
    private func shared(_ process: FleetProcess, _ other: FleetProcess) -> [FleetFinding] {
        guard let service = process.service, let otherService = other.service, !process.mayShareDatabase(with: other) else { return [] }
        let own = process.databaseVariables.compactMap(\.variable.secret)
        let mine = process.otherSecrets.union(own).union(process.variables.values.compactMap(\.secret))
        return other.databaseVariables.compactMap(\.variable.secret).compactMap { theirs in
            if own.contains(where: { $0.overlaps(theirs) }), service > otherService { return nil }
            guard mine.contains(where: { $0.overlaps(theirs) }) else { return nil }
            return FleetFinding(
                .sharedSecret, service: service, other: otherService,
                "\(process.place): has \(theirs), from which \(otherService) takes its URL (\(other.place))")
        }
    }

    private func owner(_ process: FleetProcess) -> [FleetFinding] {
        guard let service = process.service else { return [] }
        let owners = processes.filter { $0.service == service && $0.kind == .migrate }.compactMap { $0.databaseVariable?.variable.secret }
        let own = process.databaseVariables.compactMap(\.variable.secret).first { secret in
            owners.contains(where: secret.overlaps) || secret.isNamedAfterOwner
        }
        if process.kind != .migrate, let own {
            return [
                FleetFinding(
                    .ownerRoleInServe, service: service,
                    "\(process.place): \(process.kind.rawValue) takes its URL from \(own), which is the owner's")
            ]
        }
        guard process.isLongRunning else { return [] }
        let reachable = process.otherSecrets.union(process.variables.values.compactMap(\.secret))
        let found = reachable.filter { secret in owners.contains(where: secret.overlaps) }.map(\.description).min()
        guard let found else { return [] }
        return [
            FleetFinding(
                .ownerSecretInDeployment, service: service,
                "\(process.place): refers to \(found), the owner's, which only the Job that migrates may have")
        ]
    }
}
