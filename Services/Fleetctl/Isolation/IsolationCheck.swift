/// Everything about the isolation of a fleet's databases that shows without connecting.
package struct IsolationCheck: Sendable {
    package let processes: [FleetProcess]
    /// The processes whose URL is known.
    package let targets: [DatabaseTarget]
    package let findings: [FleetFinding]

    package init(_ processes: [FleetProcess]) {
        self.processes = processes
        let (targets, invalid) = DatabaseTarget.all(of: processes)
        self.targets = targets
        findings =
            (processes.flatMap { VariableFindings(process: $0).all } + invalid + SecretFindings(processes: processes).all
            + PairFindings(targets: targets).all).withoutRepetitions()
    }
}
