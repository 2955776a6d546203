package import StrictJSON

/// Why an operator changes a wallet's state: 1 to 200 characters, kept for the auditors.
private let reasonLength = 1...200

/// What a freeze blocks.
package enum FreezeBlock: String, Sendable, Hashable, CaseIterable {
    case debits
    case all
}

/// `POST /v1/wallets/{id}/freeze`.
package struct FreezeWalletRequest: WireDecodable, Hashable {
    package let block: FreezeBlock
    package let reason: String

    package init(block: FreezeBlock, reason: String) {
        self.block = block
        self.reason = reason
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let text = try object.string("block", length: 1...16)
        guard let block = FreezeBlock(rawValue: text) else {
            throw RequestFault(.malformedRequest, pointer: "/block", detail: "Must be `debits` or `all`.")
        }
        self.block = block
        reason = try object.string("reason", length: reasonLength)
    }
}

/// `POST /v1/wallets/{id}/unfreeze` and `/close`.
package struct ReasonRequest: WireDecodable, Hashable {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        reason = try object.string("reason", length: reasonLength)
    }
}

/// `PUT /v1/wallets/{id}/overdraft-limit`: how far below zero the available balance may go, in minor units of the wallet's currency.
package struct OverdraftLimitRequest: WireDecodable, Hashable {
    package let limitMinor: Int64
    package let currency: Currency
    package let reason: String

    package init(limitMinor: Int64, currency: Currency, reason: String) {
        self.limitMinor = limitMinor
        self.currency = currency
        self.reason = reason
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        limitMinor = try object.integer("limit", in: 0...MinorUnits.maximum)
        currency = try object.currency()
        reason = try object.string("reason", length: reasonLength)
    }
}

/// What an operator did to a wallet.
package enum WalletChangeKind: String, Sendable, Hashable, CaseIterable {
    case frozen
    case unfrozen
    case closed
    case overdraftLimitSet = "overdraft_limit_set"
}

/// The answer to a change of a wallet's state: the recorded change itself, which never changes.
package struct WalletChangeBody: WireEncodable, Hashable {
    package let walletID: WalletID
    package let kind: WalletChangeKind
    package let status: WalletStatus
    package let overdraftLimitMinor: Int64
    package let version: Int64
    package let reason: String
    package let changedAt: Timestamp

    package init(
        walletID: WalletID, kind: WalletChangeKind, status: WalletStatus, overdraftLimitMinor: Int64, version: Int64, reason: String,
        changedAt: Timestamp
    ) {
        self.walletID = walletID
        self.kind = kind
        self.status = status
        self.overdraftLimitMinor = overdraftLimitMinor
        self.version = version
        self.reason = reason
        self.changedAt = changedAt
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("wallet_id", walletID.description)
            writer.member("change", kind.rawValue)
            writer.member("status", status.rawValue)
            writer.member("overdraft_limit", overdraftLimitMinor)
            writer.member("version", version)
            writer.member("reason", reason)
            writer.member("changed_at", changedAt.description)
        }
    }
}
