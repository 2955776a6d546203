package import StrictJSON

/// The members of an object by Florin's own types: ids, money, times.
extension JSONObjectReader {
    /// An id. A string that is not an id of this kind names nothing that exists: 404, like an unknown one.
    package mutating func identifier<Kind>(_ name: String, as: Kind.Type = Kind.self) throws(RequestFault) -> PrefixedID<Kind> {
        try required(try optionalIdentifier(name, as: Kind.self), name)
    }

    package mutating func optionalIdentifier<Kind>(_ name: String, as: Kind.Type = Kind.self) throws(RequestFault) -> PrefixedID<Kind>? {
        guard let text = try optionalText(name) else { return nil }
        guard let id = PrefixedID<Kind>(text) else { throw refusal(name, "No such resource.", code: .notFound) }
        return id
    }

    /// An amount, a balance or a limit, in minor units; one that can't be is `amount_out_of_range`.
    package mutating func optionalAmount(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64? {
        guard let value = take(name), value != .null else { return nil }
        guard let amount = value.wholeNumber, range.contains(amount) else {
            throw refusal(
                name, "Must be a whole number of minor units from \(range.lowerBound) to \(range.upperBound).", code: .amountOutOfRange)
        }
        return amount
    }

    package mutating func amount(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64 {
        try required(try optionalAmount(name, in: range), name)
    }

    /// A currency that a request may name.
    package mutating func currency(_ name: String = "currency") throws(RequestFault) -> Currency {
        try required(try optionalCurrency(name), name)
    }

    package mutating func optionalCurrency(_ name: String = "currency") throws(RequestFault) -> Currency? {
        guard let code = try optionalText(name) else { return nil }
        guard let currency = Currency(code) else {
            throw refusal(name, "Must be the ISO 4217 code of a currency with a minor unit.", code: .unknownCurrency)
        }
        return currency
    }

    /// The members `amount` and `currency`.
    package mutating func money() throws(RequestFault) -> Money {
        let amount = try amount("amount", in: 1...MinorUnits.maximum)
        return try money(amount, try currency())
    }

    /// The members `amount` and `currency`, which are there together or not at all.
    package mutating func optionalMoney() throws(RequestFault) -> Money? {
        let amount = try optionalAmount("amount", in: 1...MinorUnits.maximum)
        let currency = try optionalCurrency()
        switch (amount, currency) {
        case (nil, nil): return nil
        case (let amount?, let currency?): return try money(amount, currency)
        case (nil, _): throw refusal("amount", "Required when `currency` is given.")
        case (_, nil): throw refusal("currency", "Required when `amount` is given.")
        }
    }

    /// The currency of what has happened, whether it is in a list today or not.
    mutating func recordedCurrency(_ name: String = "currency") throws(RequestFault) -> Currency {
        guard let currency = Currency(letters: try string(name, length: 1...3)) else {
            throw refusal(name, "Must be three capital letters.", code: .unknownCurrency)
        }
        return currency
    }

    /// The members `amount` and `currency` of what has happened.
    mutating func recordedMoney() throws(RequestFault) -> Money {
        let amount = try amount("amount", in: 1...MinorUnits.maximum)
        return try money(amount, try recordedCurrency())
    }

    private func money(_ amount: Int64, _ currency: Currency) throws(RequestFault) -> Money {
        guard let money = Money(amountMinor: amount, currency: currency) else {
            throw refusal("amount", "Out of range.", code: .amountOutOfRange)
        }
        return money
    }

    /// A time of RFC 3339, to the whole millisecond; what is finer is cut off.
    package mutating func optionalTime(_ name: String) throws(RequestFault) -> Timestamp? {
        guard let text = try optionalText(name) else { return nil }
        guard let time = Timestamp(rfc3339: text, rounding: .down) else { throw refusal(name, "Must be an RFC 3339 time.") }
        return time
    }

    package mutating func time(_ name: String) throws(RequestFault) -> Timestamp {
        try required(try optionalTime(name), name)
    }

    /// A version of a wallet.
    mutating func version(_ name: String, from first: Int64 = 1) throws(RequestFault) -> Int64 {
        try integer(name, in: first...MinorUnits.maximum)
    }
}

/// How many characters a text of what has happened may have. Writers allow fewer; it can be more tomorrow without a new version.
let recordedTextLength = 1...1_024
