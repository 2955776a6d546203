package import Contracts

/// The parameters of a query, each known, given at most once, percent-decoded and read by type.
package struct QueryReader: Sendable {
    package static let maximumLimit = PageSize.maximum
    package static let defaultLimit = 50
    private static let paging: Set<String> = ["limit", "cursor"]

    package static let foreignCursor = "Not a valid cursor for this list."

    private let values: [String: String]

    /// - Parameter known: the route's own parameters, beside `limit` and `cursor` where it `isPaged`.
    /// - Throws: ``Problem`` `unknown_field` for another name, `malformed_request` for one that is given twice or can't be decoded.
    package init(_ query: String?, known: Set<String>, isPaged: Bool = true) throws {
        var values: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard known.contains(name) || (isPaged && Self.paging.contains(name)) else {
                throw Self.unknown(name)
            }
            guard let value = Self.decoded(parts.count == 2 ? parts[1] : "") else {
                throw Self.fault(.malformedRequest, name, "Not valid percent-encoded UTF-8.")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Self.fault(.malformedRequest, name, "Given more than once.")
            }
        }
        self.values = values
    }

    package func has(_ name: String) -> Bool { values[name] != nil }

    /// The parameter as it was given, percent-decoded.
    package func text(_ name: String) -> String? { values[name] }

    /// One of the cases of an enum, by its raw value.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, as: Choice.Type = Choice.self) throws -> Choice? {
        guard let text = values[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw Self.fault(.malformedRequest, name, "Must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return choice
    }

    /// A time, to the millisecond; see ``Timestamp/init(rfc3339:rounding:)``.
    package func time(_ name: String, rounding: Timestamp.Rounding) throws -> Timestamp? {
        guard let text = values[name] else { return nil }
        guard let time = Timestamp(rfc3339: text, rounding: rounding) else {
            throw Self.fault(.malformedRequest, name, "Must be an RFC 3339 time, such as 2026-11-21T05:00:00.123Z.")
        }
        return time
    }

    /// `from`, included, and `to`, not included. Times are shown in whole milliseconds and compared as shown: a finer one stands for
    /// the next of those.
    package func period() throws -> (from: Timestamp?, to: Timestamp?) {
        let from = try time("from", rounding: .up)
        let to = try time("to", rounding: .up)
        if let from, let to, from > to { throw Self.fault(.malformedRequest, "from", "Must not be later than `to`.") }
        return (from, to)
    }

    /// An id; what is no id of this kind names nothing that exists.
    package func identifier<Kind: IdentifierKind>(_ name: String, as: Kind.Type = Kind.self) throws -> PrefixedID<Kind>? {
        guard let text = values[name] else { return nil }
        guard let id = PrefixedID<Kind>(text) else { throw Self.fault(.notFound, name, "No such resource.") }
        return id
    }

    package func limit() throws -> Int {
        guard let text = values["limit"] else { return Self.defaultLimit }
        guard let number = DecimalDigits.number(text, as: Int.self), (1...Self.maximumLimit).contains(number) else {
            throw Self.fault(.malformedRequest, "limit", "Must be a whole number from 1 to \(Self.maximumLimit).")
        }
        return number
    }

    /// What the page before ended with, if there was one.
    ///
    /// - Throws: ``Problem`` `malformed_request` for what is no cursor of this very query.
    package func cursor(of list: PageList, fields: Int) throws -> [UInt64]? {
        guard let text = values["cursor"] else { return nil }
        guard let position = PageCursor(text, binding: binding(list), fields: fields)?.position else {
            throw Self.fault(.malformedRequest, "cursor", Self.foreignCursor)
        }
        return position
    }

    package func cursor(after position: [UInt64]?, of list: PageList) -> String? {
        position.map { PageCursor(position: $0, binding: binding(list)).text }
    }

    private func binding(_ list: PageList) -> UInt64 {
        let filters = values.filter { !Self.paging.contains($0.key) }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return PageCursor.binding(([list.route, list.principal, list.subject] + filters).joined(separator: "\n"))
    }

    package static func fault(_ code: ProblemCode, _ name: some StringProtocol, _ detail: String) -> Problem {
        Problem(RequestFault(code, pointer: "/\(name)", detail: detail))
    }

    /// The refusal of a parameter that the route does not have.
    static func unknown(_ name: some StringProtocol) -> Problem {
        fault(.unknownField, name.prefix(64), "Unknown query parameter.")
    }

    /// Percent-decoded; nil where that is not UTF-8.
    static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, digits.utf8.first != UInt8(ascii: "+"),
                let decoded = UInt8(digits, radix: 16)
            else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
