package import Contracts
package import Postgres

/// Reads one wallet or transfer as far as the reader may; what they may not read does not exist for them.
package struct ReadLedger: Sendable {
    private let pool: PostgresPool
    private let wallets = WalletStore()
    private let postings = BatchStore()

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    package func wallet(_ id: WalletID, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil) async throws -> WalletState? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in try reachable(session, id, access) }
    }

    package func transfer(_ id: TransferID, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil) async throws -> TransferBody? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            guard let posting = try postings.postings(session, [id])[id] else { return nil }
            var readable: Set<WalletID> = []
            for leg in [posting.debit, posting.credit] where try reachable(session, leg.walletID, access) != nil {
                readable.insert(leg.walletID)
            }
            guard !readable.isEmpty else { return nil }
            return posting.body(mayRead: readable.contains)
        }
    }

    private func reachable(_ session: PostgresSession, _ id: WalletID, _ access: WalletAccess) throws -> WalletState? {
        guard let wallet = try wallets.wallet(session, id), !wallet.isWorld, access.reaches(wallet) else { return nil }
        return wallet
    }
}
