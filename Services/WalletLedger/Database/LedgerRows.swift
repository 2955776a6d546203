import Contracts
import FoundationEssentials
package import Idempotency
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

extension RecordedOutcome: IdempotentOutcome {
    package var refusal: (reason: Refusal, requestID: String)? {
        if case .refused(let refusal, let requestID) = self { (refusal, requestID) } else { nil }
    }

    package var stored: StoredOutcome {
        switch self {
        case .posted(let id): StoredOutcome(1, subject: id.uuid)
        case .walletOpened(let id): StoredOutcome(2, subject: id.uuid)
        case .walletChanged(let id, let version): StoredOutcome(3, subject: id.uuid, version: version)
        case .refused(let refusal, let requestID):
            StoredOutcome(
                4, subject: refusal.conflict?.uuid, version: refusal.item.map { Int64($0) }, refusal: refusal.rejection.rawValue,
                refusedRequestID: requestID)
        case .batchPosted(let first, let count): StoredOutcome(5, subject: first.uuid, version: Int64(count))
        case .batchTaken: StoredOutcome(6)
        case .holdPlaced(let id): StoredOutcome(7, subject: id.uuid)
        case .holdVoided(let id): StoredOutcome(8, subject: id.uuid)
        }
    }

    package init?(_ stored: StoredOutcome) {
        switch (stored.kind, stored.subject, stored.version) {
        case (1, let id?, _): self = .posted(TransferID(id))
        case (2, let id?, _): self = .walletOpened(WalletID(id))
        case (3, let id?, let version?): self = .walletChanged(WalletID(id), version: version)
        case (4, let conflict, let item):
            guard let rejection = stored.refusal.flatMap(TransferRejection.init), let requestID = stored.refusedRequestID else { return nil }
            let refusal = Refusal(rejection, conflict: conflict.map { TransferID($0) }, item: item.map { Int($0) })
            self = .refused(refusal, requestID: requestID)
        case (5, let id?, let count?): self = .batchPosted(first: TransferID(id), count: Int(count))
        case (6, nil, _): self = .batchTaken
        case (7, let id?, _): self = .holdPlaced(HoldID(id))
        case (8, let id?, _): self = .holdVoided(HoldID(id))
        default: return nil
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
    static let columns = PostgresColumns(
        ("id", UUID.self), ("owner_id", UUID?.self), ("opened_by", String.self), ("currency", String.self), ("is_world", Bool.self),
        ("balance", Int64.self), ("held", Int64.self), ("overdraft_limit", Int64.self), ("status", Int16.self), ("version", Int64.self),
        ("opened_at", PostgresTimestamp.self), ("last_posted_at", PostgresTimestamp.self))

    init(row: PostgresRow) throws {
        let (id, ownerID, openedBy, currency, isWorld, balance, held, overdraftLimit, status, version, openedAt, lastPostedAt) =
            try row.decode(Self.columns)
        self.init(
            id: WalletID(id), ownerID: ownerID.map { UserID($0) }, openedBy: openedBy,
            currency: try Currency(stored: currency, table: "wallets"), isWorld: isWorld, balanceMinor: balance, heldMinor: held,
            overdraftLimitMinor: overdraftLimit, status: try WalletStatus(stored: status), version: version, openedAt: Timestamp(openedAt),
            lastPostedAt: Timestamp(lastPostedAt))
    }
}

extension PostingTimes {
    /// The server's clock, never before the transaction began: the database refuses to write earlier than that.
    static let clockExpression = "greatest(clock_timestamp(), now())"
}
