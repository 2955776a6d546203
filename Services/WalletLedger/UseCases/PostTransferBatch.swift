package import Contracts
import FoundationEssentials
import HTTPService
package import Idempotency
package import Postgres
import ServiceDatabase
import StrictJSON

/// What became of a batch of transfers.
package enum TransferBatchOutcome: Sendable, Hashable {
    /// The transfers of an atomic batch, in order.
    case posted([TransferID], isReplay: Bool)
    /// The outcomes of an independent batch's items, in order; `isReplay` when each of them is one.
    case decided([PostingOutcome], isReplay: Bool)
    /// Nothing of an atomic batch was posted.
    case refused(Refusal, requestID: String, isReplay: Bool)
    case keyReused(pointer: String)
    case failed(PostingFailure)
}

/// Up to 500 transfers in one request, under one key.
///
/// An atomic batch is one order and has one row in `idempotency_keys`, which holds the whole request. An independent one first takes its
/// key for good, by a digest of the request, so that no item of another body is posted under it; then every item is an order with a
/// key of its own, so that a repeat after a crash posts what is missing and finds the rest.
package struct PostTransferBatch: Sendable {
    static let route = "POST /v1/transfers/batch"

    private let queue: PostingQueue
    private let pool: PostgresPool
    private let keys = IdempotencyStore<RecordedOutcome>()
    private let now: @Sendable () -> Timestamp

    /// - Parameter now: For the time in new ids; the database stamps the rows.
    package init(queue: PostingQueue, pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.queue = queue
        self.pool = pool
        self.now = now
    }

    /// - Throws: `PostgresError` when the key of an independent batch can't be taken; nothing is posted then.
    package func callAsFunction(
        _ request: TransferBatchRequest, _ origin: RequestOrigin, key: IdempotencyKey
    ) async throws -> TransferBatchOutcome {
        switch request {
        case .atomic(let transfers): await atomic(transfers, origin, key)
        case .independent(let items): try await independent(items, origin, key)
        }
    }

    private func atomic(_ transfers: [TransferRequest], _ origin: RequestOrigin, _ key: IdempotencyKey) async -> TransferBatchOutcome {
        var random = SystemRandomNumberGenerator()
        let first = TransferID.newBatch(milliseconds: now().millisecondsSinceUnixEpoch, using: &random)
        let orders = transfers.enumerated().map { index, transfer in
            PostingOrder.transfer(transfer, id: first.batchItem(index), access: origin.access)
        }
        let outcome = await queue.post(
            PostingRequest(
                order: .atomic(orders), key: key, fingerprint: .atomicBatch(transfers), requestID: origin.requestID, traceparent: origin.traceparent,
                deadline: origin.deadline))
        switch outcome {
        case .batchPosted(let ids, let isReplay): return .posted(ids, isReplay: isReplay)
        case .refused(let refusal, let requestID, let isReplay): return .refused(refusal, requestID: requestID, isReplay: isReplay)
        case .keyReused(let pointer): return .keyReused(pointer: pointer)
        case .failed(let failure): return .failed(failure)
        case .posted, .holdPlaced, .holdCaptured, .holdEnded: return .failed(.internalError)
        }
    }

    private func independent(
        _ transfers: [IndependentTransferRequest], _ origin: RequestOrigin, _ key: IdempotencyKey
    ) async throws -> TransferBatchOutcome {
        let items = transfers.map { RequestFingerprint.transfer($0) }
        let fingerprint = RequestFingerprint(route: Self.route) { members in
            members.member("mode", TransferBatchMode.independent.rawValue)
            members.member("count", Int64(items.count))
            members.member("digest", KeyDigest.of(items.map(\.text.string).joined(separator: "\n")).uuidString.lowercased())
        }
        let itemKeys = items.indices.map { key.item($0) }
        let pointer: String? = try await pool.withSession(within: WaitLimit(until: origin.deadline)) { session in
            let record = try keys.take(session, key, for: IdempotencyRecord(fingerprint, .batchTaken))
            guard let pointer = record.flatMap({ fingerprint.firstDifference(from: $0.fingerprint) }) else { return nil }
            return try difference(session, pointer, items, itemKeys)
        }
        if let pointer { return .keyReused(pointer: pointer) }

        var random = SystemRandomNumberGenerator()
        let time = now().millisecondsSinceUnixEpoch
        let known = transfers.enumerated().compactMap { index, item in
            if case .known(let transfer) = item { (index, transfer) } else { nil }
        }
        let requests = known.map { index, transfer in
            PostingRequest(
                order: .posting(.transfer(transfer, id: .newTransfer(milliseconds: time, using: &random), access: origin.access)),
                key: itemKeys[index], fingerprint: items[index], requestID: origin.requestID, traceparent: origin.traceparent,
                deadline: origin.deadline)
        }
        let posted = requests.isEmpty ? [] : await queue.post(requests)
        // What failed altogether is no answer about any item.
        if case .failed(let failure) = posted.first, posted.allSatisfy({ $0 == posted.first }) { return .failed(failure) }
        var outcomes = [PostingOutcome](
            repeating: .refused(Refusal(.notFound), requestID: origin.requestID, isReplay: false), count: transfers.count)
        for ((index, _), outcome) in zip(known, posted) { outcomes[index] = outcome }
        return .decided(outcomes, isReplay: outcomes.allSatisfy(\.isReplay))
    }

    /// Where the request differs from the one that the key was first used for, as far as that one's items tell.
    private func difference(
        _ session: PostgresSession, _ pointer: String, _ items: [RequestFingerprint], _ itemKeys: [IdempotencyKey]
    ) throws -> String {
        guard pointer == "/count" || pointer == "/digest" else { return pointer }
        let known = try keys.fingerprints(session, of: itemKeys)
        for (index, item) in items.enumerated() {
            guard let difference = known[itemKeys[index].id].flatMap({ item.firstDifference(from: $0) }) else { continue }
            return "/transfers/\(index)\(difference)"
        }
        return "/transfers"
    }
}

extension PostingOutcome {
    var isReplay: Bool {
        switch self {
        case .posted(_, let isReplay), .batchPosted(_, let isReplay), .holdPlaced(_, let isReplay), .holdCaptured(_, let isReplay),
            .holdEnded(_, let isReplay), .refused(_, _, let isReplay):
            isReplay
        case .keyReused, .failed: false
        }
    }
}
