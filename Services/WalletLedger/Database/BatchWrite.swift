import Contracts
import FoundationEssentials
import Postgres

/// What a batch writes, in columns: one array per parameter of the function `write_batch`.
struct BatchWrite {
    private struct WalletColumns {
        var ids: [UUID] = []
        var balances: [Int64] = []
        var versions: [Int64] = []
        var previousVersions: [Int64] = []
    }

    private struct TransferColumns {
        var ids: [UUID] = []
        var kinds: [Int16] = []
        var amounts: [Int64] = []
        var currencies: [String] = []
        var sources: [UUID] = []
        var sourceVersions: [Int64] = []
        var sourceBalances: [Int64] = []
        var destinations: [UUID] = []
        var destinationVersions: [Int64] = []
        var destinationBalances: [Int64] = []
        var originals: [UUID?] = []
        var principals: [String] = []
        var references: [String?] = []
        var keys: [UUID] = []
    }

    private struct KeyColumns {
        var ids: [UUID] = []
        var callers: [String] = []
        var principals: [String] = []
        var keys: [String] = []
        var requests: [String] = []
        var outcomes: [Int16] = []
        var subjects: [UUID?] = []
        var refusals: [String?] = []
        var requestIDs: [String?] = []
    }

    private struct EventColumns {
        var ids: [UUID] = []
        var types: [String] = []
        var subjects: [String] = []
        var partitions: [String] = []
        var traces: [String?] = []
        var data: [String] = []
    }

    private let postedAt: Timestamp
    private var wallets = WalletColumns()
    private var transfers = TransferColumns()
    private var keys = KeyColumns()
    private var events = EventColumns()
    private var refunds: [TransferID: (original: Int64, amount: Int64)] = [:]

    init(postedAt: Timestamp) {
        self.postedAt = postedAt
    }

    var isEmpty: Bool { keys.ids.isEmpty }

    mutating func append(_ posting: Posting, _ request: PostingRequest) {
        transfers.ids.append(posting.transferID.uuid)
        transfers.kinds.append(posting.kind.stored)
        transfers.amounts.append(posting.money.amountMinor)
        transfers.currencies.append(posting.money.currency.code)
        transfers.sources.append(posting.debit.walletID.uuid)
        transfers.sourceVersions.append(posting.debit.walletVersion)
        transfers.sourceBalances.append(posting.debit.balanceAfterMinor)
        transfers.destinations.append(posting.credit.walletID.uuid)
        transfers.destinationVersions.append(posting.credit.walletVersion)
        transfers.destinationBalances.append(posting.credit.balanceAfterMinor)
        transfers.originals.append(posting.originalTransferID?.uuid)
        transfers.principals.append(request.key.principal)
        transfers.references.append(posting.reference)
        transfers.keys.append(request.key.id)
        if let original = request.order.original {
            let sum = (refunds[original.id]?.amount ?? 0) + posting.money.amountMinor
            refunds[original.id] = (original.money.amountMinor, sum)
        }
        appendKey(request, outcome: 1, subject: posting.transferID.uuid, refusal: nil, requestID: nil)
        let event = posting.event(postedAt: postedAt)
        events.ids.append(posting.transferID.entryID(leg: 2).uuid)
        events.types.append(event.type.rawValue)
        events.subjects.append(posting.transferID.description)
        events.partitions.append(posting.debit.walletID.description)
        events.traces.append(request.traceparent)
        events.data.append(String(decoding: event.wireBytes(), as: UTF8.self))
    }

    mutating func append(_ refusal: TransferRejection, conflict: TransferID?, _ request: PostingRequest) {
        appendKey(request, outcome: 4, subject: conflict?.uuid, refusal: refusal.rawValue, requestID: request.requestID)
    }

    /// The wallets as the last posting left them, each once and in the order of ids.
    mutating func append(_ changed: [(state: WalletState, previousVersion: Int64)]) {
        for (state, previousVersion) in changed {
            wallets.ids.append(state.id.uuid)
            wallets.balances.append(state.balanceMinor)
            wallets.versions.append(state.version)
            wallets.previousVersions.append(previousVersion)
        }
    }

    private mutating func appendKey(_ request: PostingRequest, outcome: Int16, subject: UUID?, refusal: String?, requestID: String?) {
        keys.ids.append(request.key.id)
        keys.callers.append(request.key.caller)
        keys.principals.append(request.key.principal)
        keys.keys.append(request.key.key)
        keys.requests.append(request.canonical)
        keys.outcomes.append(outcome)
        keys.subjects.append(subject)
        keys.refusals.append(refusal)
        keys.requestIDs.append(requestID)
    }

    var query: PostgresQuery {
        let totals = refunds.sorted { $0.key < $1.key }
        return """
            SELECT write_batch(
                \(postedAt.stored), \(wallets.ids), \(wallets.balances), \(wallets.versions), \(wallets.previousVersions),
                \(transfers.ids), \(transfers.kinds), \(transfers.amounts), \(transfers.currencies),
                \(transfers.sources), \(transfers.sourceVersions), \(transfers.sourceBalances),
                \(transfers.destinations), \(transfers.destinationVersions), \(transfers.destinationBalances),
                \(transfers.originals), \(transfers.principals), \(transfers.references), \(transfers.keys),
                \(totals.map(\.key.uuid)), \(totals.map(\.value.original)), \(totals.map(\.value.amount)),
                \(keys.ids), \(keys.callers), \(keys.principals), \(keys.keys), \(keys.requests), \(keys.outcomes),
                \(keys.subjects), \(keys.refusals), \(keys.requestIDs),
                \(events.ids), \(events.types), \(events.subjects), \(events.partitions), \(events.traces), \(events.data))
            """
    }
}
