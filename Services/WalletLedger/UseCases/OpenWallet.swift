package import Contracts
import HTTPService
import Idempotency
import Outbox
package import Postgres
package import ServiceDatabase
import StrictJSON

/// Opens a wallet, and with the first one of a currency the world outside's wallets of that currency.
///
/// An owner has at most ``maximumOpenWallets`` that are not closed, whoever opened them: a person needs a few, and a program that goes wrong
/// must not fill the ledger in their name. A client's own wallets, which have no owner, are not limited.
package struct OpenWallet: Sendable {
    package static let maximumOpenWallets = 2_000

    private let transaction: KeyedTransaction
    private let clock: ClockWitness
    private let store = WalletStore()

    package init(pool: PostgresPool, clock: ClockWitness) {
        transaction = KeyedTransaction(pool: pool)
        self.clock = clock
    }

    /// - Throws: ``ClockDisagreement``; `PostgresError`.
    package func callAsFunction(_ request: OpenWalletRequest, _ origin: RequestOrigin) async throws -> KeyedAnswer<WalletOpenedBody> {
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
            let now = try store.clock(session, clock)
            if let owner = request.ownerID, try store.hasAsMany(session, owner, as: Self.maximumOpenWallets) {
                let refusal = TransferRejection.walletLimitReached
                if let key = origin.key {
                    let outcome = KeptOutcome.refused(Refusal(refusal), requestID: origin.requestID)
                    try store.insertKey(session, key, KeptKey(request: canonical, outcome: outcome), at: now)
                }
                return .refused(refusal, requestID: origin.requestID, isReplay: false)
            }
            var random = SystemRandomNumberGenerator()
            let wallet = WalletOpenedBody(
                id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), ownerID: request.ownerID,
                openedBy: origin.access.principal, currency: request.currency, openedAt: now)
            try store.insertWallet(session, wallet)
            if let key = origin.key {
                try store.insertKey(session, key, KeptKey(request: canonical, outcome: .walletOpened(wallet.id)), at: now)
            }
            let event = OutboxEvent(
                WalletOpenedEvent(wallet), id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now,
                traceparent: origin.traceparent)
            try OutboxWriter.append([event], session)
            return .done(wallet, isReplay: false)
        }
    }

    private func repeated(_ session: PostgresSession, _ kept: KeptKey, _ canonical: ExactText) throws -> KeyedAnswer<WalletOpenedBody> {
        guard kept.request == canonical else {
            return .keyReused(pointer: CanonicalRequest.firstDifference(kept.request, canonical))
        }
        switch kept.outcome {
        case .walletOpened(let id):
            guard let wallet = try store.wallet(session, id) else { throw UnreadableRow(table: "idempotency_keys") }
            return .done(store.openedWallet(wallet), isReplay: true)
        case .refused(let refusal, let requestID): return .refused(refusal.rejection, requestID: requestID, isReplay: true)
        case .posted, .walletChanged, .batchPosted, .batchTaken, .holdPlaced, .holdVoided: return .keyReused(pointer: "/route")
        }
    }
}
