import Contracts
import FoundationEssentials
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
        }
    }

    init(stored: Int16) throws {
        guard let kind = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "transfers") }
        self = kind
    }
}

extension Timestamp {
    var stored: PostgresTimestamp { PostgresTimestamp(microsecondsSinceUnixEpoch: microsecondsSinceUnixEpoch) }

    init(_ stored: PostgresTimestamp) { self.init(microsecondsSinceUnixEpoch: stored.microsecondsSinceUnixEpoch) }
}

/// A row holds what this version of the ledger never writes.
struct UnreadableRow: Error, CustomStringConvertible {
    let table: String
    var description: String { "a row of \(table) can't be read" }
}

extension Currency {
    init(stored: String, table: String) throws {
        guard let currency = Currency(stored) else { throw UnreadableRow(table: table) }
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
            guard let refusal = TransferRejection(rawValue: try row.decode(5)) else { throw UnreadableRow(table: "idempotency_keys") }
            outcome = .refused(refusal, requestID: try row.decode(6), conflict: id.map { TransferID($0) })
        default: throw UnreadableRow(table: "idempotency_keys")
        }
        self.init(request: try row.decode(1), outcome: outcome)
    }
}
