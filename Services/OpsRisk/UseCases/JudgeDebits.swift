package import Contracts
import Outbox
package import Postgres

/// A debit with the trace of the event that told of it.
package struct ObservedDebit: Sendable, Hashable {
    package let debit: CustomerDebit
    package let traceparent: String?

    package init(debit: CustomerDebit, traceparent: String?) {
        self.debit = debit
        self.traceparent = traceparent
    }
}

/// Notes debits, and raises the alerts that they bring about, each with its event.
///
/// One round trip for a batch that raises nothing, at most four otherwise, however many debits it has.
package struct JudgeDebits: Sendable {
    private let rules: RiskRules
    private let metrics: OpsRiskMetrics?
    private let now: @Sendable () -> Timestamp
    private let debits = DebitStore()
    private let alerts = AlertStore()

    package init(rules: RiskRules, metrics: OpsRiskMetrics?, now: @escaping @Sendable () -> Timestamp) {
        self.rules = rules
        self.metrics = metrics
        self.now = now
    }

    /// Within the transaction that is open. The debits' wallets are locked until its end: two consumers that judge the same wallet at the
    /// same time would not see each other's debits.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``; what was written is to be rolled back.
    package func callAsFunction(_ observed: [ObservedDebit], _ session: PostgresSession) throws {
        guard !observed.isEmpty else { return }
        let new = observed.map(\.debit)
        let windows = rules.velocity.windows(touchedBy: new)
        let histories = try debits.record(session, new, reading: windows, rules.velocity)
        var matches = new.compactMap(rules.highValue.match)
        matches += try velocityMatches(session, windows, histories)
        metrics?.judged(new.count)
        guard !matches.isEmpty else { return }
        try raise(session, matches, observed)
    }

    private func velocityMatches(
        _ session: PostgresSession, _ windows: [DebitWindow], _ histories: [DebitWindow: [CustomerDebit]]
    ) throws -> [RuleMatch] {
        let matches = windows.compactMap { window in
            histories[window].flatMap { rules.velocity.firstMatch(in: window, among: $0) }.map { (window: window, debit: $0) }
        }
        guard !matches.isEmpty else { return [] }
        let counts = try debits.counts(session, endingWith: matches.map(\.debit), rules.velocity)
        return zip(matches, counts).map { rules.velocity.match($0.debit, in: $0.window, count: $1) }
    }

    private func raise(_ session: PostgresSession, _ matches: [RuleMatch], _ observed: [ObservedDebit]) throws {
        let now = now()
        var random = SystemRandomNumberGenerator()
        let candidates = matches.map { match in
            let id = AlertID.new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
            return (alert: RiskAlert(id: id, finding: match.finding, debit: match.debit, raisedAt: now), window: match.window)
        }
        let raised = try alerts.insert(session, candidates)
        let traces = Traces(observed)
        let events = candidates.map(\.alert).filter { raised.contains($0.id) }.map { alert in
            OutboxEvent(
                alert.raisedEvent, id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now,
                traceparent: traces.cause(of: alert.debit))
        }
        try OutboxWriter.append(events, session)
        for alert in candidates.map(\.alert) where raised.contains(alert.id) { metrics?.raised(alert.finding.rule) }
    }

    /// The trace to attach an alert to: that of its debit or, if the debit came in an earlier batch, of the wallet's latest event in this
    /// one.
    private struct Traces {
        private var byTransfer: [TransferID: String] = [:]
        private var byWallet: [WalletID: String] = [:]

        init(_ observed: [ObservedDebit]) {
            for item in observed {
                guard let traceparent = item.traceparent else { continue }
                byTransfer[item.debit.transferID] = traceparent
                byWallet[item.debit.walletID] = traceparent
            }
        }

        func cause(of debit: CustomerDebit) -> String? { byTransfer[debit.transferID] ?? byWallet[debit.walletID] }
    }
}
