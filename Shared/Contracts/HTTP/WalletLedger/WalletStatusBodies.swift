package import StrictJSON

/// What an operator did to a wallet.
package enum WalletChangeKind: String, Sendable, Hashable, CaseIterable {
    case frozen
    case unfrozen
    case closed
    case overdraftLimitSet = "overdraft_limit_set"
}

/// The answer to a change of a wallet's state: the recorded change itself, which never changes.
package struct WalletChangeBody: WireBody {
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

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        kind = try object.choice("change")
        status = try object.choice("status")
        overdraftLimitMinor = try object.amount("overdraft_limit", in: 0...MinorUnits.maximum)
        version = try object.version("version")
        reason = try object.string("reason", length: recordedTextLength)
        changedAt = try object.time("changed_at")
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
