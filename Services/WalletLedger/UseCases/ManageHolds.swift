package import Contracts
import HTTPService
package import Idempotency
package import Postgres
import StrictJSON

/// Places, captures and voids holds, through the batch writers like every posting.
package struct ManageHolds: Sendable {
    private let queue: PostingQueue
    private let pool: PostgresPool
    private let store = HoldStore()
    private let wallets = WalletStore()
    private let now: @Sendable () -> Timestamp

    /// - Parameter now: For the time in new ids; the database stamps the rows.
    package init(queue: PostingQueue, pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.queue = queue
        self.pool = pool
        self.now = now
    }

    package func place(_ request: PlaceHoldRequest, _ origin: RequestOrigin, key: IdempotencyKey) async -> PostingOutcome {
        var random = SystemRandomNumberGenerator()
        let time = now().millisecondsSinceUnixEpoch
        let order = PlaceHoldOrder(
            hold: HoldTerms(
                id: .new(milliseconds: time, using: &random), walletID: request.sourceWalletID,
                destinationWalletID: request.destinationWalletID, money: request.money),
            lastsSeconds: request.expiresInSeconds, eventID: .new(milliseconds: time, using: &random), access: origin.access)
        return await post(.placeHold(order), .placement(request), origin, key)
    }

    /// - Throws: `PostgresError` when the hold can't be read.
    package func capture(
        _ id: HoldID, _ request: CaptureHoldRequest, _ origin: RequestOrigin, key: IdempotencyKey
    ) async throws -> PostingOutcome {
        guard let hold = try await terms(of: id, until: origin.deadline) else { return notFound(origin) }
        var random = SystemRandomNumberGenerator()
        let time = now().millisecondsSinceUnixEpoch
        let order = CaptureOrder(
            hold: hold, money: request.money, isFinal: request.isFinal, reference: request.reference,
            transferID: .newTransfer(milliseconds: time, using: &random), eventID: .new(milliseconds: time, using: &random),
            access: origin.access)
        let fingerprint = RequestFingerprint.capture(of: id, request.money, isFinal: request.isFinal, reference: request.reference)
        return await post(.capture(order), fingerprint, origin, key)
    }

    /// - Throws: `PostgresError` when the hold can't be read.
    package func void(_ id: HoldID, _ origin: RequestOrigin, key: IdempotencyKey) async throws -> PostingOutcome {
        guard let hold = try await terms(of: id, until: origin.deadline) else { return notFound(origin) }
        var random = SystemRandomNumberGenerator()
        let order = EndHoldOrder(hold: hold, eventID: .new(milliseconds: now().millisecondsSinceUnixEpoch, using: &random), access: origin.access)
        return await post(.endHold(order), .void(of: id), origin, key)
    }

    /// Only who reaches the wallet whose money it sets aside sees a hold.
    package func hold(_ id: HoldID, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil) async throws -> HoldBody? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            guard let hold = try store.hold(session, id), let wallet = try wallets.wallet(session, hold.terms.walletID),
                access.reaches(wallet)
            else { return nil }
            return hold.body
        }
    }

    /// The terms never change, so they may be read before any lock.
    private func terms(of id: HoldID, until deadline: ContinuousClock.Instant?) async throws -> HoldTerms? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in try store.hold(session, id)?.terms }
    }

    private func notFound(_ origin: RequestOrigin) -> PostingOutcome {
        .refused(Refusal(.notFound), requestID: origin.requestID, isReplay: false)
    }

    private func post(_ order: LedgerOrder, _ fingerprint: RequestFingerprint, _ origin: RequestOrigin, _ key: IdempotencyKey) async -> PostingOutcome
    {
        await queue.post(
            PostingRequest(
                order: order, key: key, fingerprint: fingerprint, requestID: origin.requestID, traceparent: origin.traceparent,
                deadline: origin.deadline))
    }
}
