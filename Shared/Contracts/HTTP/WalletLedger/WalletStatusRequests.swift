package import StrictJSON

/// Why an operator changes a wallet's state: 1 to 200 characters, kept for the auditors.
private let reasonLength = 1...200

/// What a freeze blocks.
package enum FreezeBlock: String, Sendable, Hashable, CaseIterable {
    case debits
    case all
}

/// `POST /v1/wallets/{id}/freeze`.
package struct FreezeWalletRequest: WireRequest {
    package let block: FreezeBlock
    package let reason: String

    package init(block: FreezeBlock, reason: String) {
        self.block = block
        self.reason = reason
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        block = try object.choice("block")
        reason = try object.string("reason", length: reasonLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("block", block.rawValue)
            writer.member("reason", reason)
        }
    }
}

/// `POST /v1/wallets/{id}/unfreeze` and `/close`.
package struct ReasonRequest: WireRequest {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        reason = try object.string("reason", length: reasonLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in writer.member("reason", reason) }
    }
}

/// `PUT /v1/wallets/{id}/overdraft-limit`: how far below zero the available balance may go, in minor units of the wallet's currency.
package struct OverdraftLimitRequest: WireRequest {
    package let limitMinor: Int64
    package let currency: Currency
    package let reason: String

    package init(limitMinor: Int64, currency: Currency, reason: String) {
        self.limitMinor = limitMinor
        self.currency = currency
        self.reason = reason
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        limitMinor = try object.amount("limit", in: 0...MinorUnits.maximum)
        currency = try object.currency()
        reason = try object.string("reason", length: reasonLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("limit", limitMinor)
            writer.member("currency", currency.code)
            writer.member("reason", reason)
        }
    }
}
