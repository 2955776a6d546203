package import StrictJSON

/// The members of an object by the types of JSON. ``finish()`` refuses what is left over: requests end with it, answers and events don't.
extension JSONObjectReader {
    package init(_ value: JSONValue, pointer: String = "") throws(RequestFault) {
        guard case .object(let members) = value else {
            throw RequestFault(.malformedRequest, pointer: pointer, detail: "Must be an object.")
        }
        guard members.count <= JSONParser.maximumMembers else {
            throw RequestFault(.malformedRequest, pointer: pointer, detail: "Too many fields.")
        }
        self.init(members: members, pointer: pointer)
    }

    /// A fault of a member that is well-formed and yet can't be.
    package func refusal(_ name: String, _ detail: String, code: ProblemCode = .malformedRequest) -> RequestFault {
        RequestFault(code, pointer: "\(pointer)/\(name)", detail: detail)
    }

    /// A member that must be there.
    func required<Value>(_ value: Value?, _ name: String) throws(RequestFault) -> Value {
        guard let value else { throw refusal(name, "Required.") }
        return value
    }

    /// A string, whatever is in it.
    mutating func optionalText(_ name: String) throws(RequestFault) -> String? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw refusal(name, "Must be a string.")
        }
    }

    mutating func text(_ name: String) throws(RequestFault) -> String {
        try required(try optionalText(name), name)
    }

    package mutating func optionalString(_ name: String, length: ClosedRange<Int>) throws(RequestFault) -> String? {
        guard let text = try optionalText(name) else { return nil }
        guard length.contains(text.unicodeScalars.count) else {
            throw refusal(name, "Must be \(length.lowerBound) to \(length.upperBound) characters long.")
        }
        // Postgres text can't hold NUL, and no label needs control characters.
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw refusal(name, "Must not contain control characters.")
        }
        return text
    }

    package mutating func string(_ name: String, length: ClosedRange<Int>) throws(RequestFault) -> String {
        try required(try optionalString(name, length: length), name)
    }

    package mutating func optionalBool(_ name: String) throws(RequestFault) -> Bool? {
        switch take(name) {
        case nil, .null: return nil
        case .bool(let value): return value
        default: throw refusal(name, "Must be true or false.")
        }
    }

    mutating func bool(_ name: String) throws(RequestFault) -> Bool {
        try required(try optionalBool(name), name)
    }

    /// A whole number that is not an amount of money; see ``optionalAmount(_:in:)``.
    package mutating func optionalInteger(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64? {
        guard let value = take(name), value != .null else { return nil }
        guard let number = value.wholeNumber, range.contains(number) else {
            throw refusal(name, "Must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int64>) throws(RequestFault) -> Int64 {
        try required(try optionalInteger(name, in: range), name)
    }

    /// One of the values that the type knows.
    package mutating func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, as: Choice.Type = Choice.self
    ) throws(RequestFault) -> Choice? {
        guard let text = try optionalText(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            throw refusal(name, "Must be one of \(known).")
        }
        return choice
    }

    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, as: Choice.Type = Choice.self
    ) throws(RequestFault) -> Choice {
        try required(try optionalChoice(name, as: Choice.self), name)
    }

    /// An object as its type reads it; faults name the member in it.
    mutating func object<Value: WireDecodable>(_ name: String, as: Value.Type = Value.self) throws(RequestFault) -> Value {
        var reader = try JSONObjectReader(try required(take(name), name), pointer: pointer(to: name))
        return try Value(readingAll: &reader)
    }

    /// An array of objects, each as its type reads it; faults name the item.
    package mutating func items<Item: WireDecodable>(
        _ name: String, count: ClosedRange<Int>, of: Item.Type = Item.self
    ) throws(RequestFault) -> [Item] {
        try required(try optionalItems(name, count: count), name)
    }

    mutating func optionalItems<Item: WireDecodable>(
        _ name: String, count: ClosedRange<Int>, of: Item.Type = Item.self
    ) throws(RequestFault) -> [Item]? {
        guard let value = take(name) else { return nil }
        return try items(in: value, name, count: count) { (reader: inout JSONObjectReader) throws(RequestFault) in
            try Item(readingAll: &reader)
        }
    }

    /// An array of objects; what the closure leaves in one is ignored unless it refuses that itself.
    package mutating func openItems<Item>(
        _ name: String, count: ClosedRange<Int>, read: (inout JSONObjectReader) throws(RequestFault) -> Item
    ) throws(RequestFault) -> [Item] {
        try items(in: try required(take(name), name), name, count: count, read: read)
    }

    private func items<Item>(
        in value: JSONValue, _ name: String, count: ClosedRange<Int>, read: (inout JSONObjectReader) throws(RequestFault) -> Item
    ) throws(RequestFault) -> [Item] {
        guard case .array(let values) = value, count.contains(values.count) else {
            throw refusal(name, "Must be an array of \(count.lowerBound) to \(count.upperBound) items.")
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
            throw RequestFault(.unknownField, errors: unknown.map { FieldError(pointer: pointer(to: $0), detail: "Unknown field.") })
        }
    }
}

extension JSONValue {
    /// A number written as a whole one: `1.0`, `1e0` and `-0` are not.
    var wholeNumber: Int64? {
        guard case .number(let text) = self, text != "-0" else { return nil }
        return Int64(text)
    }
}
