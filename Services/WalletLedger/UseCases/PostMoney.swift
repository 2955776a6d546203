package import Contracts
import HTTPService
package import Idempotency
package import Postgres
import StrictJSON

/// Transfers, deposits, withdrawals and refunds: turns a request into an order and lets a batch writer post it.
package struct PostMoney: Sendable {
    private let queue: PostingQueue
    private let pool: PostgresPool
    private let store = BatchStore()
    private let now: @Sendable () -> Timestamp

    /// - Parameter now: For the time in new ids; the database stamps the rows.
    package init(queue: PostingQueue, pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.queue = queue
        self.pool = pool
        self.now = now
    }

    private func newID() -> TransferID {
        var random = SystemRandomNumberGenerator()
        return .newTransfer(milliseconds: now().millisecondsSinceUnixEpoch, using: &random)
    }

    package func transfer(_ request: TransferRequest, _ origin: RequestOrigin, key: IdempotencyKey) async -> PostingOutcome {
        await post(.transfer(request, id: newID(), access: origin.access), RequestFingerprint.transfer(request), origin, key: key)
    }

    package func deposit(_ request: FundingRequest, _ origin: RequestOrigin, key: IdempotencyKey) async -> PostingOutcome {
        let fingerprint = RequestFingerprint.funding("POST /v1/deposits", request)
        return await post(.deposit(request, id: newID(), access: origin.access), fingerprint, origin, key: key)
    }

    package func withdrawal(_ request: FundingRequest, _ origin: RequestOrigin, key: IdempotencyKey) async -> PostingOutcome {
        let fingerprint = RequestFingerprint.funding("POST /v1/withdrawals", request)
        return await post(.withdrawal(request, id: newID(), access: origin.access), fingerprint, origin, key: key)
    }

    /// - Throws: `PostgresError` when the original can't be read.
    package func refund(
        of id: TransferID, _ request: RefundRequest, _ origin: RequestOrigin, key: IdempotencyKey
    ) async throws -> PostingOutcome {
        // The original never changes, so it may be read before any lock.
        let posting = try await pool.withSession(within: WaitLimit(until: origin.deadline)) { session in try store.postings(session, [id])[id] }
        guard let posting else { return .refused(Refusal(.notFound), requestID: origin.requestID, isReplay: false) }
        let original = OriginalTransfer(
            id: id, kind: posting.kind, money: posting.money, sourceWalletID: posting.debit.walletID, destinationWalletID: posting.credit.walletID)
        let fingerprint = RequestFingerprint.refund(of: id, request)
        return await post(.refund(request, of: original, id: newID(), access: origin.access), fingerprint, origin, key: key)
    }

    private func post(_ order: PostingOrder, _ fingerprint: RequestFingerprint, _ origin: RequestOrigin, key: IdempotencyKey) async -> PostingOutcome
    {
        await queue.post(
            PostingRequest(
                order: .posting(order), key: key, fingerprint: fingerprint, requestID: origin.requestID, traceparent: origin.traceparent,
                deadline: origin.deadline))
    }
}
