package import StrictJSON

/// `POST /v1/transfers`.
package struct TransferRequest: WireRequest {
    package let sourceWalletID: WalletID
    package let destinationWalletID: WalletID
    package let money: Money
    package let reference: String?

    package init(sourceWalletID: WalletID, destinationWalletID: WalletID, money: Money, reference: String? = nil) {
        self.sourceWalletID = sourceWalletID
        self.destinationWalletID = destinationWalletID
        self.money = money
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        sourceWalletID = try object.identifier("source_wallet_id")
        destinationWalletID = try object.identifier("destination_wallet_id")
        money = try object.money()
        reference = try object.optionalString("reference", length: PostingReference.length)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("source_wallet_id", sourceWalletID.description)
            writer.member("destination_wallet_id", destinationWalletID.description)
            writer.members(money)
            if let reference { writer.member("reference", reference) }
        }
    }
}

/// `POST /v1/deposits` and `POST /v1/withdrawals`: money from or to the world outside.
package struct FundingRequest: WireRequest {
    package let walletID: WalletID
    package let money: Money
    package let reference: String?

    package init(walletID: WalletID, money: Money, reference: String? = nil) {
        self.walletID = walletID
        self.money = money
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        money = try object.money()
        reference = try object.optionalString("reference", length: PostingReference.length)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("wallet_id", walletID.description)
            writer.members(money)
            if let reference { writer.member("reference", reference) }
        }
    }
}

/// `POST /v1/transfers/{id}/refunds`: a part of the original, or all of it when no amount is given.
package struct RefundRequest: WireRequest {
    package let money: Money?
    package let reference: String?

    package init(money: Money? = nil, reference: String? = nil) {
        self.money = money
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        money = try object.optionalMoney()
        reference = try object.optionalString("reference", length: PostingReference.length)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            if let money { writer.members(money) }
            if let reference { writer.member("reference", reference) }
        }
    }
}
