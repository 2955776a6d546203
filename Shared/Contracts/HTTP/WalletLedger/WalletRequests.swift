package import StrictJSON

/// `POST /v1/wallets`: opens a wallet of one currency.
package struct OpenWalletRequest: WireRequest {
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
            throw object.refusal("currency", "Withdrawn from ISO 4217; new wallets can't be opened in it.", code: .unknownCurrency)
        }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            if let ownerID { writer.member("owner_id", ownerID.description) }
            writer.member("currency", currency.code)
        }
    }
}
