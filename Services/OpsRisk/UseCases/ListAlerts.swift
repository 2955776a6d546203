package import Contracts
package import Postgres

/// Lists alerts, newest first.
///
/// Pages are by the alerts' ids, which rise with the time at which they were raised: an alert that is raised while somebody turns pages
/// moves none of the others.
package struct ListAlerts: Sendable {
    /// Which alerts are asked for.
    package struct Filter: Sendable, Hashable {
        package let status: RiskAlertStatus?
        package let wallet: WalletID?

        package init(status: RiskAlertStatus? = nil, wallet: WalletID? = nil) {
            self.status = status
            self.wallet = wallet
        }
    }

    private let pool: PostgresPool
    private let store = AlertStore()

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// - Parameter before: The alert that the last page ended with.
    /// - Returns: a page, and the alert that it ends with if there is more.
    /// - Throws: `PostgresError`.
    package func callAsFunction(
        _ filter: Filter, before: AlertID?, limit: Int, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> (items: [RiskAlertBody], next: AlertID?) {
        let found = try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try store.latest(session, status: filter.status, wallet: filter.wallet, before: before, limit: limit + 1)
        }
        return (found.prefix(limit).map(\.body), found.count > limit ? found[limit - 1].id : nil)
    }
}
