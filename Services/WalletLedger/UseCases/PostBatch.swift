import Contracts
import FoundationEssentials
import Postgres

/// Posts a batch: one transaction, two round trips, every outcome of its own.
///
/// Lock, decide in arrival order, write, commit; only then is anything answered. A refusal never fails its neighbours.
struct PostBatch {
    private let store = BatchStore()

    /// - Parameter meanwhile: runs while the server takes the batch's locks.
    /// - Returns: the outcomes, in the order of the requests.
    /// - Throws: `PostgresError`; nothing is posted then, unless the connection was lost in COMMIT.
    func run(
        _ session: PostgresSession, _ requests: [PostingRequest], lockTimeout: Duration = BatchStore.lockTimeout,
        meanwhile: () -> Void = {}
    ) throws -> [PostingOutcome] {
        do {
            return try runTransaction(session, requests, lockTimeout: lockTimeout, meanwhile: meanwhile)
        } catch {
            session.rollback()
            throw error
        }
    }

    /// A decision that still lacks what the batch learns later: its time, or the rows of an earlier posting.
    private enum Decision {
        case posted(Posting)
        case refused(TransferRejection, requestID: String, conflict: TransferID?)
        case keptPosting(TransferID)
        case keyReused(pointer: String)
        /// Same key and request as an earlier one of this batch.
        case sameAs(index: Int)
    }

    private func runTransaction(
        _ session: PostgresSession, _ requests: [PostingRequest], lockTimeout: Duration, meanwhile: () -> Void
    ) throws -> [PostingOutcome] {
        let locked = try store.lock(session, requests, lockTimeout: lockTimeout, meanwhile: meanwhile)
        var batch = LedgerBatch(wallets: locked.wallets, refunded: locked.refunded, references: locked.references)
        var write = BatchWrite(postedAt: locked.now)
        let decisions = decide(requests, kept: locked.keys, in: &batch, into: &write)

        write.append(
            batch.changedWallets.sorted().compactMap { id in
                guard let state = batch.wallets[id], let before = locked.wallets[id] else { return nil }
                return (state, before.version)
            })
        let replayed = decisions.compactMap { decision in
            if case .keptPosting(let id) = decision { id } else { nil }
        }
        let kept = replayed.isEmpty ? [:] : try store.postings(session, replayed)
        try store.commit(session, write)

        return try requests.indices.map { index in
            try outcome(of: index, requests, decisions, kept: kept, wallets: locked.wallets, postedAt: locked.now)
        }
    }

    private func decide(
        _ requests: [PostingRequest], kept: [UUID: KeptKey], in batch: inout LedgerBatch, into write: inout BatchWrite
    ) -> [Decision] {
        var decisions: [Decision] = []
        decisions.reserveCapacity(requests.count)
        var firstUse: [UUID: Int] = [:]
        for (index, request) in requests.enumerated() {
            if let known = kept[request.key.id] {
                decisions.append(repeated(request, known))
            } else if let first = firstUse[request.key.id] {
                let canonical = requests[first].canonical
                decisions.append(
                    canonical == request.canonical
                        ? .sameAs(index: first)
                        : .keyReused(pointer: CanonicalRequest.firstDifference(canonical, request.canonical)))
            } else {
                do throws(TransferRejection) {
                    let posting = try batch.decide(request.order)
                    write.append(posting, request)
                    firstUse[request.key.id] = index
                    decisions.append(.posted(posting))
                } catch {
                    let conflict = error == .referenceExists ? batch.holder(ofReferenceOf: request.order) : nil
                    // What does not exist may exist later: such a refusal leaves the key free.
                    if error != .notFound {
                        write.append(error, conflict: conflict, request)
                        firstUse[request.key.id] = index
                    }
                    decisions.append(.refused(error, requestID: request.requestID, conflict: conflict))
                }
            }
        }
        return decisions
    }

    private func repeated(_ request: PostingRequest, _ known: KeptKey) -> Decision {
        guard known.request == request.canonical else {
            return .keyReused(pointer: CanonicalRequest.firstDifference(known.request, request.canonical))
        }
        switch known.outcome {
        case .posted(let id): return .keptPosting(id)
        case .refused(let refusal, let requestID, let conflict): return .refused(refusal, requestID: requestID, conflict: conflict)
        case .walletOpened, .walletChanged: return .keyReused(pointer: "/route")
        }
    }

    private func outcome(
        of index: Int, _ requests: [PostingRequest], _ decisions: [Decision],
        kept: [TransferID: (posting: Posting, postedAt: Timestamp)], wallets: [WalletID: WalletState], postedAt: Timestamp
    ) throws -> PostingOutcome {
        let request = requests[index]
        func body(_ posting: Posting, _ time: Timestamp) -> TransferBody {
            posting.body(postedAt: time) { id in wallets[id].map { request.order.access.reaches($0) && !$0.isWorld } ?? false }
        }
        switch decisions[index] {
        case .posted(let posting): return .posted(body(posting, postedAt), isReplay: false)
        case .keptPosting(let id):
            guard let (posting, time) = kept[id] else { throw UnreadableRow(table: "idempotency_keys") }
            // The batch of a lost connection runs again and finds its own postings: they are answered for the first time.
            return .posted(body(posting, time), isReplay: id != request.order.transferID)
        case .refused(let refusal, let requestID, let conflict):
            return .refused(refusal, requestID: requestID, conflict: conflict, isReplay: requestID != request.requestID)
        case .keyReused(let pointer): return .keyReused(pointer: pointer)
        case .sameAs(let first):
            switch decisions[first] {
            case .posted(let posting): return .posted(body(posting, postedAt), isReplay: true)
            case .refused(let refusal, let requestID, let conflict):
                return .refused(refusal, requestID: requestID, conflict: conflict, isReplay: true)
            case .keptPosting, .keyReused, .sameAs: throw UnreadableRow(table: "idempotency_keys")
            }
        }
    }
}
