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
        var strikes = new.compactMap(rules.highValue.strike)
        strikes += try velocityStrikes(session, windows, histories)
        metrics?.judged(new.count)
        guard !strikes.isEmpty else { return }
        try raise(session, strikes, observed)
    }

    private func velocityStrikes(
        _ session: PostgresSession, _ windows: [DebitWindow], _ histories: [DebitWindow: [CustomerDebit]]
    ) throws -> [RiskStrike] {
        let struck = windows.compactMap { window in
            histories[window].flatMap { rules.velocity.struck(in: window, among: $0) }.map { (window: window, debit: $0) }
        }
        guard !struck.isEmpty else { return [] }
        let counts = try debits.counts(session, endingWith: struck.map(\.debit), rules.velocity)
        return zip(struck, counts).map { rules.velocity.strike($0.debit, in: $0.window, count: $1) }
    }

    private func raise(_ session: PostgresSession, _ strikes: [RiskStrike], _ observed: [ObservedDebit]) throws {
        let now = now()
        var random = SystemRandomNumberGenerator()
        let candidates = strikes.map { strike in
            let id = AlertID.new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
            return (alert: RiskAlert(id: id, finding: strike.finding, debit: strike.debit, raisedAt: now), window: strike.window)
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

    /// Which event of a batch an alert belongs to: the one of the debit that it names; when that one arrived earlier, the last of its wallet,
    /// for one of those made the count complete.
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
