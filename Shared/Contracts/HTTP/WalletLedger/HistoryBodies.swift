package import StrictJSON

/// `GET /v1/wallets/{id}/balance?at=`: what the wallet's last entry at or before that time left. It never changes later.
package struct PastBalanceBody: WireBody {
    package let walletID: WalletID
    package let currency: Currency
    package let at: Timestamp
    package let balanceMinor: Int64
    /// Of that entry; 0 before the first. What raised the wallet's version without an entry is not counted.
    package let version: Int64

    package init(walletID: WalletID, currency: Currency, at: Timestamp, balanceMinor: Int64, version: Int64) {
        self.walletID = walletID
        self.currency = currency
        self.at = at
        self.balanceMinor = balanceMinor
        self.version = version
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        currency = try object.recordedCurrency()
        at = try object.time("at")
        balanceMinor = try object.amount("balance", in: MinorUnits.range)
        version = try object.version("version", from: 0)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("wallet_id", walletID.description)
            writer.member("currency", currency.code)
            writer.member("at", at.description)
            writer.member("balance", balanceMinor)
            writer.member("version", version)
        }
    }
}

/// `GET /v1/wallets/{id}/statement`: a period from `from` up to, and not including, `to`. It never changes later.
///
/// `opening_balance + total_credits - total_debits = closing_balance`; the totals are those of the whole period on every page.
package struct StatementBody: WireBody {
    package let walletID: WalletID
    package let currency: Currency
    package let from: Timestamp
    package let to: Timestamp
    package let openingBalanceMinor: Int64
    /// Sums over many entries outgrow what a JSON number holds exactly, so they are decimal strings on the wire.
    package let totalCreditsMinor: Int128
    package let totalDebitsMinor: Int128
    package let closingBalanceMinor: Int64
    /// Oldest first.
    package let page: PageBody<EntryBody>

    package init(
        walletID: WalletID, currency: Currency, from: Timestamp, to: Timestamp, openingBalanceMinor: Int64, totalCreditsMinor: Int128,
        totalDebitsMinor: Int128, closingBalanceMinor: Int64, page: PageBody<EntryBody>
    ) {
        self.walletID = walletID
        self.currency = currency
        self.from = from
        self.to = to
        self.openingBalanceMinor = openingBalanceMinor
        self.totalCreditsMinor = totalCreditsMinor
        self.totalDebitsMinor = totalDebitsMinor
        self.closingBalanceMinor = closingBalanceMinor
        self.page = page
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        currency = try object.recordedCurrency()
        from = try object.time("from")
        to = try object.time("to")
        openingBalanceMinor = try object.amount("opening_balance", in: MinorUnits.range)
        totalCreditsMinor = try object.total("total_credits")
        totalDebitsMinor = try object.total("total_debits")
        closingBalanceMinor = try object.amount("closing_balance", in: MinorUnits.range)
        page = try PageBody(reading: &object)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("wallet_id", walletID.description)
            writer.member("currency", currency.code)
            writer.member("from", from.description)
            writer.member("to", to.description)
            writer.member("opening_balance", openingBalanceMinor)
            writer.member("total_credits", String(totalCreditsMinor))
            writer.member("total_debits", String(totalDebitsMinor))
            writer.member("closing_balance", closingBalanceMinor)
            page.encodeMembers(into: &writer)
        }
    }
}

extension JSONObjectReader {
    /// A sum of amounts, as a decimal string.
    fileprivate mutating func total(_ name: String) throws(RequestFault) -> Int128 {
        guard let total = DecimalDigits.number(try text(name), as: Int128.self) else {
            throw refusal(name, "Must be a whole number of minor units, as a string.", code: .amountOutOfRange)
        }
        return total
    }
}
