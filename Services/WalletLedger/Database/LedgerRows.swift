import Contracts
import FoundationEssentials
import Outbox
import Postgres

// How the ledger's values are stored: enums as small numbers, ids as uuid, times as timestamptz.

extension WalletStatus {
    var stored: Int16 {
        switch self {
        case .open: 0
        case .frozenDebits: 1
        case .frozenAll: 2
        case .closed: 3
        }
    }

    init(stored: Int16) throws {
        guard let status = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "wallets") }
        self = status
    }
}

extension WalletChangeKind {
    var stored: Int16 {
        switch self {
        case .frozen: 1
        case .unfrozen: 2
        case .closed: 3
        case .overdraftLimitSet: 4
        }
    }

    init(stored: Int16) throws {
        guard let kind = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "wallet_changes") }
        self = kind
    }
}

extension PostingKind {
    var stored: Int16 {
        switch self {
        case .transfer: 1
        case .deposit: 2
        case .withdrawal: 3
        case .refund: 4
        case .capture: 5
        }
    }

    init(stored: Int16) throws {
        guard let kind = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "transfers") }
        self = kind
    }
}

extension HoldStatus {
    var stored: Int16 {
        switch self {
        case .open: 0
        case .captured: 1
        case .voided: 2
        case .expired: 3
        }
    }

    init(stored: Int16) throws {
        guard let status = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "holds") }
        self = status
    }
}

extension HoldChangeKind {
    var stored: Int16 {
        switch self {
        case .placed: 1
        case .captured: 2
        case .voided: 3
        case .expired: 4
        }
    }

    init(stored: Int16) throws {
        guard let kind = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "hold_changes") }
        self = kind
    }
}

extension KeptOutcome {
    /// As the columns of `idempotency_keys` have it.
    var stored: (outcome: Int16, subject: UUID?, version: Int64?, refusal: String?, requestID: String?) {
        switch self {
        case .posted(let id): (1, id.uuid, nil, nil, nil)
        case .walletOpened(let id): (2, id.uuid, nil, nil, nil)
        case .walletChanged(let id, let version): (3, id.uuid, version, nil, nil)
        case .refused(let refusal, let requestID):
            (4, refusal.conflict?.uuid, refusal.item.map { Int64($0) }, refusal.rejection.rawValue, requestID)
        case .batchPosted(let first, let count): (5, first.uuid, Int64(count), nil, nil)
        case .batchTaken: (6, nil, nil, nil, nil)
        case .holdPlaced(let id): (7, id.uuid, nil, nil, nil)
        case .holdVoided(let id): (8, id.uuid, nil, nil, nil)
        }
    }
}

/// A row holds what this version of the ledger never writes.
struct UnreadableRow: Error, CustomStringConvertible {
    let table: String
    var description: String { "a row of \(table) can't be read" }
}

extension Currency {
    /// Any code, as the CHECK of the column allows it: a row in a currency that left ISO 4217 must not hide the others of its list.
    init(stored: String, table: String) throws {
        guard let currency = Currency(letters: stored) else { throw UnreadableRow(table: table) }
        self = currency
    }
}

extension Money {
    init(stored amount: Int64, _ currency: Currency) throws {
        guard let money = Money(amountMinor: amount, currency: currency) else { throw UnreadableRow(table: "transfers") }
        self = money
    }
}

extension WalletState {
    static let columns =
        "id, owner_id, opened_by, currency, is_world, balance, held, overdraft_limit, status, version, opened_at, last_posted_at"

    init(row: PostgresRow) throws {
        self.init(
            id: WalletID(try row.decode(0, as: UUID.self)), ownerID: try row.decodeIfPresent(1, as: UUID.self).map { UserID($0) },
            openedBy: try row.decode(2), currency: try Currency(stored: row.decode(3), table: "wallets"), isWorld: try row.decode(4),
            balanceMinor: try row.decode(5), heldMinor: try row.decode(6), overdraftLimitMinor: try row.decode(7),
            status: try WalletStatus(stored: row.decode(8)), version: try row.decode(9),
            openedAt: Timestamp(try row.decode(10, as: PostgresTimestamp.self)),
            lastPostedAt: Timestamp(try row.decode(11, as: PostgresTimestamp.self)))
    }
}

extension KeptKey {
    static let columns = "id, request, outcome, subject_id, subject_version, refusal, refused_request_id"

    init(row: PostgresRow) throws {
        let outcome: KeptOutcome
        let subject = try row.decodeIfPresent(3, as: UUID.self)
        switch (try row.decode(2, as: Int16.self), subject) {
        case (1, let id?): outcome = .posted(TransferID(id))
        case (2, let id?): outcome = .walletOpened(WalletID(id))
        case (3, let id?): outcome = .walletChanged(WalletID(id), version: try row.decode(4))
        case (4, let id):
            guard let rejection = TransferRejection(rawValue: try row.decode(5)) else { throw UnreadableRow(table: "idempotency_keys") }
            let refusal = Refusal(
                rejection, conflict: id.map { TransferID($0) }, item: try row.decodeIfPresent(4, as: Int64.self).map { Int($0) })
            outcome = .refused(refusal, requestID: try row.decode(6))
        case (5, let id?): outcome = .batchPosted(first: TransferID(id), count: Int(try row.decode(4, as: Int64.self)))
        case (6, nil): outcome = .batchTaken
        case (7, let id?): outcome = .holdPlaced(HoldID(id))
        case (8, let id?): outcome = .holdVoided(HoldID(id))
        default: throw UnreadableRow(table: "idempotency_keys")
        }
        self.init(request: ExactText(try row.decode(1)), outcome: outcome)
    }
}

extension PostingTimes {
    /// The server's clock, never before the transaction began: the database refuses to write earlier than that.
    static let clockExpression = "greatest(clock_timestamp(), now())"
}
