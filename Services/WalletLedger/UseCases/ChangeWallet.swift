package import Contracts
import HTTPService
package import Idempotency
import Outbox
package import Postgres
package import ServiceDatabase
import StrictJSON

/// Freezes, unfreezes or closes a wallet, or sets its overdraft limit, under the wallet's lock.
///
/// Once it is answered, nothing that it forbids commits later: a batch that decides on this wallet holds the same lock.
package struct ChangeWallet: Sendable {
    private let idempotent: IdempotentTransaction<RecordedOutcome>
    private let clock: ClockWitness
    private let store = WalletStore()

    package init(pool: PostgresPool, clock: ClockWitness) {
        idempotent = IdempotentTransaction(pool: pool)
        self.clock = clock
    }

    /// - Throws: ``ClockDisagreement``; `PostgresError`; ``UnreadableIdempotencyRecord``.
    package func callAsFunction(
        _ id: WalletID, _ change: WalletChange, reason: String, _ origin: RequestOrigin
    ) async throws -> IdempotentAnswer<WalletChangeBody, Refusal> {
        let fingerprint = fingerprint(id, change, reason: reason)
        return try await idempotent(origin.key, fingerprint, requestID: origin.requestID, until: origin.deadline) { session in
            guard let wallet = try store.lockWallet(session, id), !wallet.isWorld, origin.access.reaches(wallet) else {
                return .refusedForNow(Refusal(.notFound))
            }
            let now = PostingTimes(clock: try store.clock(session, clock)).time(of: wallet)
            let after: WalletState
            do throws(TransferRejection) {
                after = try change.applied(to: wallet)
            } catch {
                return .refused(Refusal(error))
            }
            let body = try record(session, after, change.kind, reason: reason, origin, at: now)
            return .done(body, .walletChanged(body.walletID, version: body.version))
        } recall: { session, outcome in
            guard case .walletChanged(let id, let version) = outcome else { return nil }
            guard let change = try store.change(session, id, version: version) else { throw UnreadableRow(table: "wallet_changes") }
            return change
        }
    }

    private func record(
        _ session: PostgresSession, _ wallet: WalletState, _ kind: WalletChangeKind, reason: String, _ origin: RequestOrigin,
        at now: Timestamp
    ) throws -> WalletChangeBody {
        let body = WalletChangeBody(
            walletID: wallet.id, kind: kind, status: wallet.status, overdraftLimitMinor: wallet.overdraftLimitMinor,
            version: wallet.version, reason: reason, changedAt: now)
        try store.insertChange(session, body, caller: origin.caller, changedBy: origin.access.principal)
        var random = SystemRandomNumberGenerator()
        let event = OutboxEvent(
            WalletStatusChangedEvent(body), id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now,
            traceparent: origin.traceparent)
        try OutboxWriter.append([event], session)
        return body
    }

    private func fingerprint(_ id: WalletID, _ change: WalletChange, reason: String) -> RequestFingerprint {
        RequestFingerprint(route: "wallet \(change.kind.rawValue)") { members in
            members.member("id", id.description)
            switch change {
            case .freeze(let block): members.member("block", block.rawValue)
            case .setOverdraftLimit(let amount, let currency):
                members.member("limit", amount)
                members.member("currency", currency.code)
            case .unfreeze, .close: break
            }
            members.member("reason", reason)
        }
    }
}
