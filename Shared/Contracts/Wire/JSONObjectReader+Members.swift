package import StrictJSON

/// The members of an object by the types of the contracts. ``finish()`` refuses what is left over: requests end with it, events don't.
extension JSONObjectReader {
    package init(_ value: JSONValue, pointer: String = "") throws(RequestFault) {
        guard case .object(let members) = value else {
            throw RequestFault(.malformedRequest, pointer: pointer, detail: "An object is expected.")
        }
        guard members.count <= JSONParser.maximumMembers else {
            throw RequestFault(.malformedRequest, pointer: pointer, detail: "Too many members.")
        }
        self.init(members: members, pointer: pointer)
    }

    private func fault(_ code: ProblemCode, _ name: String, _ detail: String) -> RequestFault {
        RequestFault(code, pointer: "\(pointer)/\(name)", detail: detail)
    }

    /// A fault of a member that is well-formed and yet can't be.
    package func refusal(_ name: String, _ detail: String, code: ProblemCode = .malformedRequest) -> RequestFault {
        fault(code, name, detail)
    }

    package mutating func optionalString(_ name: String, length: ClosedRange<Int>) throws(RequestFault) -> String? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let text):
            guard length.contains(text.unicodeScalars.count) else {
                throw fault(.malformedRequest, name, "Must have \(length.lowerBound) to \(length.upperBound) characters.")
            }
            // Postgres text can't hold NUL, and no label needs control characters.
            guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw fault(.malformedRequest, name, "Must not have control characters.")
            }
            return text
        default: throw fault(.malformedRequest, name, "A string is expected.")
        }
    }

    package mutating func string(_ name: String, length: ClosedRange<Int>) throws(RequestFault) -> String {
        guard let text = try optionalString(name, length: length) else { throw fault(.malformedRequest, name, "Is missing.") }
        return text
    }

    /// An id. One that is well-formed JSON but no id of this kind names nothing that exists: 404, like an unknown one.
    package mutating func identifier<Kind>(_ name: String, as: Kind.Type = Kind.self) throws(RequestFault) -> PrefixedID<Kind> {
        guard let id = try optionalIdentifier(name, as: Kind.self) else { throw fault(.malformedRequest, name, "Is missing.") }
        return id
    }

    package mutating func optionalIdentifier<Kind>(_ name: String, as: Kind.Type = Kind.self) throws(RequestFault) -> PrefixedID<Kind>? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let text):
            guard let id = PrefixedID<Kind>(text) else { throw fault(.notFound, name, "Names nothing that exists.") }
            return id
        default: throw fault(.malformedRequest, name, "A string is expected.")
        }
    }

    package mutating func optionalInteger(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64? {
        guard let value = take(name), value != .null else { return nil }
        guard case .number(let text) = value, let number = Int64(text), text != "-0", range.contains(number) else {
            throw fault(
                .amountOutOfRange, name, "A whole number of minor units from \(range.lowerBound) to \(range.upperBound) is expected.")
        }
        return number
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64 {
        guard let number = try optionalInteger(name, in: range) else { throw fault(.malformedRequest, name, "Is missing.") }
        return number
    }

    package mutating func optionalCurrency(_ name: String = "currency") throws(RequestFault) -> Currency? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let code):
            guard let currency = Currency(code) else {
                throw fault(.unknownCurrency, name, "An ISO 4217 code of a currency with a minor unit is expected.")
            }
            return currency
        default: throw fault(.malformedRequest, name, "A string is expected.")
        }
    }

    package mutating func currency(_ name: String = "currency") throws(RequestFault) -> Currency {
        guard let currency = try optionalCurrency(name) else { throw fault(.malformedRequest, name, "Is missing.") }
        return currency
    }

    /// The currency of what has happened, whether it is in a list today or not.
    mutating func recordedCurrency(_ name: String = "currency") throws(RequestFault) -> Currency {
        guard let currency = Currency(letters: try string(name, length: 1...3)) else {
            throw fault(.unknownCurrency, name, "Three capital letters are expected.")
        }
        return currency
    }

    /// The members `amount` and `currency` of what has happened.
    mutating func recordedMoney() throws(RequestFault) -> Money {
        let amount = try integer("amount", in: 1...MinorUnits.maximum)
        let currency = try recordedCurrency()
        guard let money = Money(amountMinor: amount, currency: currency) else { throw refusal("amount", "Is out of range.") }
        return money
    }

    /// A string, whatever is in it.
    mutating func text(_ name: String) throws(RequestFault) -> String {
        switch take(name) {
        case nil, .null: throw fault(.malformedRequest, name, "Is missing.")
        case .string(let text): return text
        default: throw fault(.malformedRequest, name, "A string is expected.")
        }
    }

    /// The members `amount` and `currency`.
    package mutating func money() throws(RequestFault) -> Money {
        let amount = try integer("amount", in: 1...MinorUnits.maximum)
        let currency = try currency()
        guard let money = Money(amountMinor: amount, currency: currency) else {
            throw fault(.amountOutOfRange, "amount", "A positive whole number of minor units is expected.")
        }
        return money
    }

    /// The members `amount` and `currency`, which are there together or not at all.
    package mutating func optionalMoney() throws(RequestFault) -> Money? {
        let amount = try optionalInteger("amount", in: 1...MinorUnits.maximum)
        let currency = try optionalCurrency()
        switch (amount, currency) {
        case (nil, nil): return nil
        case (let amount?, let currency?): return Money(amountMinor: amount, currency: currency)
        case (nil, _): throw fault(.malformedRequest, "amount", "Is missing beside a currency.")
        case (_, nil): throw fault(.malformedRequest, "currency", "Is missing beside an amount.")
        }
    }

    package mutating func optionalBool(_ name: String) throws(RequestFault) -> Bool? {
        switch take(name) {
        case nil, .null: return nil
        case .bool(let value): return value
        default: throw fault(.malformedRequest, name, "A boolean is expected.")
        }
    }

    /// A whole number that is no amount of money.
    package mutating func optionalNumber(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64? {
        guard let value = take(name), value != .null else { return nil }
        guard case .number(let text) = value, let number = Int64(text), text != "-0", range.contains(number) else {
            throw fault(.malformedRequest, name, "A whole number from \(range.lowerBound) to \(range.upperBound) is expected.")
        }
        return number
    }

    package mutating func number(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64 {
        guard let number = try optionalNumber(name, in: range) else { throw fault(.malformedRequest, name, "Is missing.") }
        return number
    }

    /// A time of RFC 3339, to the whole millisecond; what is finer is cut off.
    package mutating func optionalTime(_ name: String) throws(RequestFault) -> Timestamp? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let text):
            guard let time = Timestamp(rfc3339: text, rounding: .down) else {
                throw fault(.malformedRequest, name, "A time of RFC 3339 is expected.")
            }
            return time
        default: throw fault(.malformedRequest, name, "A string is expected.")
        }
    }

    package mutating func time(_ name: String) throws(RequestFault) -> Timestamp {
        guard let time = try optionalTime(name) else { throw fault(.malformedRequest, name, "Is missing.") }
        return time
    }

    /// One of the values that the type knows.
    package mutating func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, as: Choice.Type = Choice.self
    ) throws(RequestFault) -> Choice? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let text):
            guard let choice = Choice(rawValue: text) else {
                let known = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
                throw fault(.malformedRequest, name, "Must be one of \(known).")
            }
            return choice
        default: throw fault(.malformedRequest, name, "A string is expected.")
        }
    }

    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, as: Choice.Type = Choice.self
    ) throws(RequestFault) -> Choice {
        guard let choice = try optionalChoice(name, as: Choice.self) else { throw fault(.malformedRequest, name, "Is missing.") }
        return choice
    }

    /// An array of objects, each read strictly; faults name the item.
    package mutating func items<Item: WireDecodable>(
        _ name: String, count: ClosedRange<Int>, of: Item.Type = Item.self
    ) throws(RequestFault) -> [Item] {
        try openItems(name, count: count) { (reader: inout JSONObjectReader) throws(RequestFault) in
            let item = try Item(reading: &reader)
            try reader.finish()
            return item
        }
    }

    /// An array of objects; what the closure leaves in one is ignored unless it refuses that itself.
    package mutating func openItems<Item>(
        _ name: String, count: ClosedRange<Int>, read: (inout JSONObjectReader) throws(RequestFault) -> Item
    ) throws(RequestFault) -> [Item] {
        guard let value = take(name) else { throw fault(.malformedRequest, name, "Is missing.") }
        guard case .array(let values) = value, count.contains(values.count) else {
            throw fault(.malformedRequest, name, "An array of \(count.lowerBound) to \(count.upperBound) items is expected.")
        }
        var items: [Item] = []
        items.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            var reader = try JSONObjectReader(value, pointer: "\(pointer)/\(name)/\(index)")
            items.append(try read(&reader))
        }
        return items
    }

    /// Refuses every member that was not taken.
    package func finish() throws(RequestFault) {
        let unknown = leftOver
        guard unknown.isEmpty else {
            throw RequestFault(
                .unknownField, errors: unknown.map { FieldError(pointer: pointer(to: $0), detail: "Is not a member of this request.") })
        }
    }
}
