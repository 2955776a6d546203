package import Contracts
import Outbox
package import Postgres
import ServiceDatabase
import SignedAPI

/// Opens a wallet, and with the first one of a currency the world outside's wallets of that currency.
package struct OpenWallet: Sendable {
    private let transaction: KeyedTransaction
    private let store = WalletStore()

    package init(pool: PostgresPool) {
        transaction = KeyedTransaction(pool: pool)
    }

    package func callAsFunction(_ request: OpenWalletRequest, _ origin: RequestOrigin) async throws -> KeyedAnswer<WalletOpened> {
        let canonical = CanonicalRequest.render(
            route: "POST /v1/wallets",
            [
                ("owner_id", request.ownerID.map { .string($0.description) }),
                ("currency", .string(request.currency.code)),
            ])
        return try await transaction.run(inProgress: .inProgress, until: origin.deadline) { session in
            if let key = origin.key, let kept = try store.keptKey(session, key) {
                return try repeated(session, kept, canonical)
            }
            let now = try store.clock(session)
            var random = SystemRandomNumberGenerator()
            let wallet = WalletOpened(
                id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), ownerID: request.ownerID,
                openedBy: origin.access.principal, currency: request.currency, openedAt: now)
            try store.insertWallet(session, wallet)
            if let key = origin.key {
                try store.insertKey(session, key, KeptKey(request: canonical, outcome: .walletOpened(wallet.id)), at: now)
            }
            let event = OutboxEvent(
                wallet, id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now, traceparent: origin.traceparent)
            try OutboxWriter.append([event], session)
            return .done(wallet, isReplay: false)
        }
    }

    private func repeated(_ session: PostgresSession, _ kept: KeptKey, _ canonical: String) throws -> KeyedAnswer<WalletOpened> {
        guard kept.request == canonical, case .walletOpened(let id) = kept.outcome, let wallet = try store.wallet(session, id) else {
            return .keyReused(pointer: CanonicalRequest.firstDifference(kept.request, canonical))
        }
        return .done(store.openedWallet(wallet), isReplay: true)
    }
}
