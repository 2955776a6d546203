import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import Outbox
import Postgres

/// What a batch writes, gathered decision by decision.
struct BatchWrite {
    private let clock: Timestamp
    private var columns = BatchColumns()
    private var refunds: [TransferID: (original: Int64, amount: Int64)] = [:]
    /// Where in the columns a hold stands that this batch has changed before.
    private var holdIndex: [HoldID: Int] = [:]

    /// - Parameter clock: The server's clock, for the keys of what was decided; every other row has a time of its own.
    init(clock: Timestamp) {
        self.clock = clock
    }

    var isEmpty: Bool { columns.keys.ids.isEmpty && columns.events.ids.isEmpty }

    mutating func append(_ decision: LedgerDecision, _ request: PostingRequest) {
        switch decision {
        case .posting(let posting):
            append(posting, original: request.order.original, request)
            appendKey(.posted(posting.transferID), request)
        case .atomic(let postings):
            for posting in postings { append(posting, original: nil, request) }
            if let first = postings.first { appendKey(.batchPosted(first: first.transferID, count: postings.count), request) }
        case .hold(let change):
            append(change, request)
            appendKey(change.kind == .placed ? .holdPlaced(change.hold.terms.id) : .holdVoided(change.hold.terms.id), request)
        case .capture(let posting, let change):
            append(posting, original: nil, request)
            append(change, request)
            appendKey(.posted(posting.transferID), request)
        }
    }

    mutating func append(_ refusal: Refusal, _ request: PostingRequest) {
        appendKey(.refused(refusal, requestID: request.requestID), request, as: BatchDigest.ofLong(request.fingerprint))
    }

    /// The wallets as the last decision left them, each once and in the order of ids.
    mutating func append(_ changed: [(state: WalletState, previousVersion: Int64)]) {
        for (state, previousVersion) in changed {
            columns.wallets.ids.append(state.id.uuid)
            columns.wallets.balances.append(state.balanceMinor)
            columns.wallets.helds.append(state.heldMinor)
            columns.wallets.versions.append(state.version)
            columns.wallets.previousVersions.append(previousVersion)
            columns.wallets.times.append(state.lastPostedAt.stored)
        }
    }

    private mutating func append(_ posting: Posting, original: OriginalTransfer?, _ request: PostingRequest) {
        columns.transfers.ids.append(posting.transferID.uuid)
        columns.transfers.kinds.append(posting.kind.stored)
        columns.transfers.amounts.append(posting.money.amountMinor)
        columns.transfers.currencies.append(posting.money.currency.code)
        columns.transfers.sources.append(posting.debit.walletID.uuid)
        columns.transfers.sourceVersions.append(posting.debit.walletVersion)
        columns.transfers.sourceBalances.append(posting.debit.balanceAfterMinor)
        columns.transfers.destinations.append(posting.credit.walletID.uuid)
        columns.transfers.destinationVersions.append(posting.credit.walletVersion)
        columns.transfers.destinationBalances.append(posting.credit.balanceAfterMinor)
        columns.transfers.originals.append(posting.originalTransferID?.uuid)
        columns.transfers.holds.append(posting.holdID?.uuid)
        columns.transfers.principals.append(request.order.access?.principal ?? "")
        columns.transfers.references.append(posting.reference)
        columns.transfers.keys.append(request.key?.id ?? posting.transferID.uuid)
        columns.transfers.times.append(posting.postedAt.stored)
        columns.transfers.sourceTimes.append(posting.debit.postedAt.stored)
        columns.transfers.destinationTimes.append(posting.credit.postedAt.stored)
        if let original {
            let sum = (refunds[original.id]?.amount ?? 0) + posting.money.amountMinor
            refunds[original.id] = (original.money.amountMinor, sum)
        }
        let event = posting.event
        appendEvent(
            id: posting.transferID.eventID.uuid, event.type, subject: posting.transferID.description, of: posting.debit.walletID,
            event, at: posting.postedAt, request)
    }

    private mutating func append(_ change: HoldChange, _ request: PostingRequest) {
        let hold = change.hold
        if let index = holdIndex[hold.terms.id] {
            columns.holds.captured[index] = hold.capturedMinor
            columns.holds.statuses[index] = hold.status.stored
        } else {
            holdIndex[hold.terms.id] = columns.holds.ids.count
            columns.holds.ids.append(hold.terms.id.uuid)
            columns.holds.wallets.append(hold.terms.walletID.uuid)
            columns.holds.destinations.append(hold.terms.destinationWalletID.uuid)
            columns.holds.amounts.append(hold.terms.money.amountMinor)
            columns.holds.currencies.append(hold.terms.money.currency.code)
            columns.holds.captured.append(hold.capturedMinor)
            columns.holds.statuses.append(hold.status.stored)
            columns.holds.principals.append(hold.placedBy)
            columns.holds.placedAt.append(hold.placedAt.stored)
            columns.holds.expiresAt.append(hold.expiresAt.stored)
        }
        columns.holdChanges.wallets.append(hold.terms.walletID.uuid)
        columns.holdChanges.versions.append(change.walletVersion)
        columns.holdChanges.holds.append(hold.terms.id.uuid)
        columns.holdChanges.kinds.append(change.kind.stored)
        columns.holdChanges.placed.append(change.kind == .placed ? hold.terms.money.amountMinor : 0)
        columns.holdChanges.captured.append(change.capturedMinor)
        columns.holdChanges.released.append(change.releasedMinor)
        columns.holdChanges.heldAfter.append(change.walletHeldMinor)
        columns.holdChanges.capturedAfter.append(hold.capturedMinor)
        columns.holdChanges.statusAfter.append(hold.status.stored)
        columns.holdChanges.transfers.append(change.transferID?.uuid)
        columns.holdChanges.events.append(change.eventID.uuid)
        columns.holdChanges.times.append(change.changedAt.stored)
        let event = change.event
        appendEvent(
            id: change.eventID.uuid, event.type, subject: hold.terms.id.description, of: hold.terms.walletID, event, at: change.changedAt, request)
    }

    private mutating func appendEvent(
        id: UUID, _ type: some EventType, subject: String, of wallet: WalletID, _ event: some WireEncodable, at time: Timestamp,
        _ request: PostingRequest
    ) {
        columns.events.ids.append(id)
        columns.events.types.append(type.rawValue)
        columns.events.subjects.append(subject)
        columns.events.partitions.append(wallet.description)
        columns.events.times.append(time.stored)
        columns.events.traces.append(request.traceparent)
        columns.events.data.append(String(decoding: event.wireBytes(), as: UTF8.self))
    }

    private mutating func appendKey(_ outcome: RecordedOutcome, _ request: PostingRequest, as digest: RequestFingerprint? = nil) {
        guard let key = request.key else { return }
        let stored = outcome.stored
        columns.keys.ids.append(key.id)
        columns.keys.callers.append(key.caller)
        columns.keys.principals.append(key.principal)
        columns.keys.keys.append(key.key)
        columns.keys.requests.append((digest ?? request.fingerprint).text.string)
        columns.keys.outcomes.append(stored.kind)
        columns.keys.subjects.append(stored.subject)
        columns.keys.subjectVersions.append(stored.version)
        columns.keys.refusals.append(stored.refusal)
        columns.keys.requestIDs.append(stored.refusedRequestID)
    }

    var query: PostgresQuery {
        var columns = columns
        for (id, refund) in refunds.sorted(by: { $0.key < $1.key }) {
            columns.refunds.ids.append(id.uuid)
            columns.refunds.originals.append(refund.original)
            columns.refunds.amounts.append(refund.amount)
        }
        let function = columns.function
        return "SELECT \(unsafeSQL: function.rawValue)(\(columns.arguments(of: function, clock: clock.stored)))"
    }
}
