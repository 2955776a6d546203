package import StrictJSON

/// The answer to ``OpenWalletRequest``: facts of the opening, which never change, so that a repeat gets the same bytes.
package struct WalletOpenedBody: WireBody {
    package let id: WalletID
    package let ownerID: UserID?
    package let openedBy: String
    package let currency: Currency
    package let openedAt: Timestamp

    package init(id: WalletID, ownerID: UserID?, openedBy: String, currency: Currency, openedAt: Timestamp) {
        self.id = id
        self.ownerID = ownerID
        self.openedBy = openedBy
        self.currency = currency
        self.openedAt = openedAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        ownerID = try object.optionalIdentifier("owner_id")
        openedBy = try object.string("opened_by", length: recordedTextLength)
        currency = try object.recordedCurrency()
        openedAt = try object.time("opened_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            if let ownerID { writer.member("owner_id", ownerID.description) } else { writer.memberNull("owner_id") }
            writer.member("opened_by", openedBy)
            writer.member("currency", currency.code)
            writer.member("opened_at", openedAt.description)
        }
    }
}

/// What a wallet is closed to.
package enum WalletStatus: String, Sendable, Hashable, CaseIterable {
    case open
    /// Debits are refused, credits pass.
    case frozenDebits = "frozen_debits"
    /// Debits and credits are refused.
    case frozenAll = "frozen_all"
    /// Final.
    case closed
}

/// `GET /v1/wallets/{id}`.
package struct WalletBody: WireBody {
    package let id: WalletID
    package let ownerID: UserID?
    package let openedBy: String
    package let status: WalletStatus
    package let balance: BalanceBody
    package let overdraftLimitMinor: Int64
    package let openedAt: Timestamp

    package init(
        id: WalletID, ownerID: UserID?, openedBy: String, status: WalletStatus, balance: BalanceBody, overdraftLimitMinor: Int64,
        openedAt: Timestamp
    ) {
        self.id = id
        self.ownerID = ownerID
        self.openedBy = openedBy
        self.status = status
        self.balance = balance
        self.overdraftLimitMinor = overdraftLimitMinor
        self.openedAt = openedAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        ownerID = try object.optionalIdentifier("owner_id")
        openedBy = try object.string("opened_by", length: recordedTextLength)
        status = try object.choice("status")
        balance = try BalanceBody(reading: &object, of: id)
        overdraftLimitMinor = try object.amount("overdraft_limit", in: 0...MinorUnits.maximum)
        openedAt = try object.time("opened_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            if let ownerID { writer.member("owner_id", ownerID.description) } else { writer.memberNull("owner_id") }
            writer.member("opened_by", openedBy)
            writer.member("status", status.rawValue)
            writer.member("currency", balance.currency.code)
            writer.member("balance", balance.balanceMinor)
            writer.member("held", balance.heldMinor)
            writer.member("available", balance.availableMinor)
            writer.member("overdraft_limit", overdraftLimitMinor)
            writer.member("version", balance.version)
            writer.member("opened_at", openedAt.description)
        }
    }
}

/// `GET /v1/wallets/{id}/balance`: minor units; `available` is the balance less what is held.
package struct BalanceBody: WireBody {
    package let walletID: WalletID
    package let currency: Currency
    package let balanceMinor: Int64
    package let heldMinor: Int64
    package let version: Int64

    package init(walletID: WalletID, currency: Currency, balanceMinor: Int64, heldMinor: Int64, version: Int64) {
        self.walletID = walletID
        self.currency = currency
        self.balanceMinor = balanceMinor
        self.heldMinor = heldMinor
        self.version = version
    }

    package var availableMinor: Int64 { balanceMinor - heldMinor }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        try self.init(reading: &object, of: try object.identifier("wallet_id"))
    }

    /// The members that a wallet has too.
    fileprivate init(reading object: inout JSONObjectReader, of walletID: WalletID) throws(RequestFault) {
        self.walletID = walletID
        currency = try object.recordedCurrency()
        balanceMinor = try object.amount("balance", in: MinorUnits.range)
        heldMinor = try object.amount("held", in: 0...MinorUnits.maximum)
        version = try object.version("version", from: 0)
        guard try object.amount("available", in: .min ... .max) == availableMinor else {
            throw object.refusal("available", "Must be `balance` less `held`.")
        }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("wallet_id", walletID.description)
            writer.member("currency", currency.code)
            writer.member("balance", balanceMinor)
            writer.member("held", heldMinor)
            writer.member("available", availableMinor)
            writer.member("version", version)
        }
    }
}
