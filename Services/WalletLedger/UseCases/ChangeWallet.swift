package import Contracts
import HTTPService
import Idempotency
import Outbox
package import Postgres
package import ServiceDatabase
import StrictJSON

/// Freezes, unfreezes or closes a wallet, or sets its overdraft limit, under the wallet's lock.
///
/// Once it is answered, nothing that it forbids commits later: a batch that decides on this wallet holds the same lock.
package struct ChangeWallet: Sendable {
    private let transaction: KeyedTransaction
    private let clock: ClockWitness
    private let store = WalletStore()

    package init(pool: PostgresPool, clock: ClockWitness) {
        transaction = KeyedTransaction(pool: pool)
        self.clock = clock
    }

    /// - Throws: ``ClockDisagreement``; `PostgresError`.
    package func callAsFunction(
        _ id: WalletID, _ change: WalletChange, reason: String, _ origin: RequestOrigin
    ) async throws -> KeyedAnswer<WalletChangeBody> {
        let canonical = canonicalForm(id, change, reason: reason)
        return try await transaction.run(inProgress: .inProgress, until: origin.deadline) { session in
            guard let wallet = try store.lockWallet(session, id), !wallet.isWorld, origin.access.reaches(wallet) else {
                return .refused(.notFound, requestID: origin.requestID, isReplay: false)
            }
            if let key = origin.key, let kept = try store.keptKey(session, key) {
                return try repeated(session, kept, canonical)
            }
            let now = PostingTimes(clock: try store.clock(session, clock)).time(of: wallet)
            let after: WalletState
            do throws(TransferRejection) {
                after = try change.applied(to: wallet)
            } catch {
                if let key = origin.key {
                    let outcome = KeptOutcome.refused(Refusal(error), requestID: origin.requestID)
                    try store.insertKey(session, key, KeptKey(request: canonical, outcome: outcome), at: now)
                }
                return .refused(error, requestID: origin.requestID, isReplay: false)
            }
            return .done(
                try record(session, after, change.kind, reason: reason, canonical: canonical, origin, at: now), isReplay: false)
        }
    }

    private func record(
        _ session: PostgresSession, _ wallet: WalletState, _ kind: WalletChangeKind, reason: String, canonical: ExactText,
        _ origin: RequestOrigin, at now: Timestamp
    ) throws -> WalletChangeBody {
        let body = WalletChangeBody(
            walletID: wallet.id, kind: kind, status: wallet.status, overdraftLimitMinor: wallet.overdraftLimitMinor,
            version: wallet.version, reason: reason, changedAt: now)
        try store.insertChange(session, body, caller: origin.caller, changedBy: origin.access.principal)
        if let key = origin.key {
            let outcome = KeptOutcome.walletChanged(wallet.id, version: wallet.version)
            try store.insertKey(session, key, KeptKey(request: canonical, outcome: outcome), at: now)
        }
        var random = SystemRandomNumberGenerator()
        let event = OutboxEvent(
            WalletStatusChangedEvent(body), id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now,
            traceparent: origin.traceparent)
        try OutboxWriter.append([event], session)
        return body
    }

    private func repeated(_ session: PostgresSession, _ kept: KeptKey, _ canonical: ExactText) throws -> KeyedAnswer<WalletChangeBody> {
        guard kept.request == canonical else {
            return .keyReused(pointer: CanonicalRequest.firstDifference(kept.request, canonical))
        }
        switch kept.outcome {
        case .walletChanged(let id, let version):
            guard let change = try store.change(session, id, version: version) else { throw UnreadableRow(table: "wallet_changes") }
            return .done(change, isReplay: true)
        case .refused(let refusal, let requestID): return .refused(refusal.rejection, requestID: requestID, isReplay: true)
        case .posted, .walletOpened, .batchPosted, .batchTaken, .holdPlaced, .holdVoided: return .keyReused(pointer: "/route")
        }
    }

    private func canonicalForm(_ id: WalletID, _ change: WalletChange, reason: String) -> ExactText {
        var block: JSONValue?
        var limit: JSONValue?
        var currency: JSONValue?
        switch change {
        case .freeze(let what): block = .string(what.rawValue)
        case .setOverdraftLimit(let amount, let code):
            limit = .number(String(amount))
            currency = .string(code.code)
        case .unfreeze, .close: break
        }
        return CanonicalRequest.render(
            route: "wallet \(change.kind.rawValue)",
            [
                ("id", .string(id.description)), ("block", block), ("limit", limit), ("currency", currency), ("reason", .string(reason)),
            ])
    }
}
