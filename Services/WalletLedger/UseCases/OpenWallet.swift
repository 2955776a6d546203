package import Contracts
import HTTPService
package import Idempotency
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

    private let idempotent: IdempotentTransaction<RecordedOutcome>
    private let clock: ClockWitness
    private let store = WalletStore()

    package init(pool: PostgresPool, clock: ClockWitness) {
        idempotent = IdempotentTransaction(pool: pool)
        self.clock = clock
    }

    /// - Throws: ``ClockDisagreement``; `PostgresError`; ``UnreadableIdempotencyRecord``.
    package func callAsFunction(
        _ request: OpenWalletRequest, _ origin: RequestOrigin
    ) async throws -> IdempotentAnswer<WalletOpenedBody, Refusal> {
        let fingerprint = RequestFingerprint(route: "POST /v1/wallets") { members in
            members.member("owner_id", ifPresent: request.ownerID?.description)
            members.member("currency", request.currency.code)
        }
        return try await idempotent(origin.key, fingerprint, requestID: origin.requestID, until: origin.deadline) { session in
            let now = try store.clock(session, clock)
            if let owner = request.ownerID, try store.hasAsMany(session, owner, as: Self.maximumOpenWallets) {
                return .refused(Refusal(.walletLimitReached))
            }
            var random = SystemRandomNumberGenerator()
            let wallet = WalletOpenedBody(
                id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), ownerID: request.ownerID,
                openedBy: origin.access.principal, currency: request.currency, openedAt: now)
            try store.insertWallet(session, wallet)
            let event = OutboxEvent(
                WalletOpenedEvent(wallet), id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now,
                traceparent: origin.traceparent)
            try OutboxWriter.append([event], session)
            return .done(wallet, .walletOpened(wallet.id))
        } recall: { session, outcome in
            guard case .walletOpened(let id) = outcome else { return nil }
            guard let wallet = try store.wallet(session, id) else { throw UnreadableRow(table: "idempotency_keys") }
            return store.openedWallet(wallet)
        }
    }
}
