import Contracts
import Postgres

/// How decisions are shown to who asked for them.
struct OutcomeView {
    let wallets: [WalletID: WalletState]

    func body(_ posting: Posting, for request: PostingRequest) -> TransferBody {
        posting.body { id in
            wallets[id].map { !$0.isWorld && request.order.access?.reaches($0) == true } ?? false
        }
    }

    func outcome(of decision: LedgerDecision, for request: PostingRequest, isReplay: Bool) -> PostingOutcome {
        switch decision {
        case .posting(let posting): .posted(body(posting, for: request), isReplay: isReplay)
        case .atomic(let postings): .batchPosted(postings.map(\.transferID), isReplay: isReplay)
        case .hold(let change):
            switch change.kind {
            case .placed: .holdPlaced(change.hold.body, isReplay: isReplay)
            case .captured, .voided, .expired: .holdEnded(change.voidedBody, isReplay: isReplay)
            }
        case .capture(let posting, let change):
            .holdCaptured(change.capturedBody(body(posting, for: request)), isReplay: isReplay)
        }
    }
}

/// The rows from which the answers to repeated requests are rendered again.
struct RecordedAnswers {
    private var postings: [TransferID: Posting] = [:]
    private var captures: [TransferID: HoldChange] = [:]
    private var placed: [HoldID: HoldState] = [:]
    private var voided: [HoldID: HoldChange] = [:]

    init(_ session: PostgresSession, of outcomes: [RecordedOutcome]) throws {
        var transfers: [TransferID] = []
        var placedIDs: [HoldID] = []
        var voidedIDs: [HoldID] = []
        for outcome in outcomes {
            switch outcome {
            case .posted(let id): transfers.append(id)
            case .holdPlaced(let id): placedIDs.append(id)
            case .holdVoided(let id): voidedIDs.append(id)
            // The ids of a batch follow from its first one.
            case .batchPosted, .batchTaken, .walletOpened, .walletChanged, .refused: break
            }
        }
        let holds = HoldStore()
        if !transfers.isEmpty {
            postings = try BatchStore().postings(session, transfers)
            let taken = postings.values.filter { $0.kind == .capture }.map(\.transferID)
            if !taken.isEmpty { captures = try holds.captures(session, taken) }
        }
        if !placedIDs.isEmpty { placed = try holds.placed(session, placedIDs) }
        if !voidedIDs.isEmpty {
            for change in try holds.changes(session, of: voidedIDs).values where change.kind == .voided {
                voided[change.hold.terms.id] = change
            }
        }
    }

    /// The batch of a lost connection runs again and finds what it wrote itself: that is answered for the first time.
    func outcome(of recorded: RecordedOutcome, for request: PostingRequest, _ view: OutcomeView) throws -> PostingOutcome {
        switch recorded {
        case .posted(let id):
            guard let posting = postings[id] else { throw UnreadableRow(table: "idempotency_keys") }
            let body = view.body(posting, for: request)
            if posting.kind == .capture {
                guard let change = captures[id] else { throw UnreadableRow(table: "hold_changes") }
                return .holdCaptured(change.capturedBody(body), isReplay: !request.order.makes(id))
            }
            return .posted(body, isReplay: !request.order.makes(id))
        case .batchPosted(let first, let count):
            return .batchPosted((0..<count).map { first.batchItem($0) }, isReplay: !request.order.makes(first))
        case .holdPlaced(let id):
            guard let hold = placed[id] else { throw UnreadableRow(table: "holds") }
            if case .placeHold(let order) = request.order { return .holdPlaced(hold.body, isReplay: order.hold.id != id) }
            return .holdPlaced(hold.body, isReplay: true)
        case .holdVoided(let id):
            guard let change = voided[id] else { throw UnreadableRow(table: "hold_changes") }
            if case .endHold(let order) = request.order {
                return .holdEnded(change.voidedBody, isReplay: order.eventID != change.eventID)
            }
            return .holdEnded(change.voidedBody, isReplay: true)
        case .refused, .walletOpened, .walletChanged, .batchTaken: throw UnreadableRow(table: "idempotency_keys")
        }
    }
}

extension LedgerOrder {
    /// Whether it is the order itself that posts this transfer, and not an earlier one with its key.
    fileprivate func makes(_ id: TransferID) -> Bool {
        switch self {
        case .posting(let order): order.transferID == id
        case .atomic(let orders): orders.first?.transferID == id
        case .capture(let order): order.transferID == id
        case .placeHold, .endHold: false
        }
    }
}
