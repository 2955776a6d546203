package import StrictJSON

/// `POST /v1/wallets`: opens a wallet of one currency.
package struct OpenWalletRequest: WireDecodable, Hashable {
    /// Whose wallet it is. A user may only name themselves (or nobody); a client may open wallets for others.
    package let ownerID: UserID?
    /// One that is in ISO 4217 today; see ``Currency``.
    package let currency: Currency

    package init(ownerID: UserID?, currency: Currency) {
        self.ownerID = ownerID
        self.currency = currency
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        ownerID = try object.optionalIdentifier("owner_id")
        currency = try object.currency()
        guard currency.isActive else {
            throw object.refusal("currency", "Left ISO 4217; no wallet is opened in it any more.", code: .unknownCurrency)
        }
    }
}

/// The answer to ``OpenWalletRequest``: facts of the opening, which never change, so that a repeat gets the same bytes.
package struct WalletOpened: WireEncodable, Hashable {
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
package struct WalletBody: WireEncodable, Hashable {
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
package struct BalanceBody: WireEncodable, Hashable {
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
