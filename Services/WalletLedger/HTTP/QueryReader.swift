import Contracts

/// The parameters of a query, each known, given at most once, percent-decoded and read by type.
struct QueryReader {
    static let maximumLimit = 100
    static let defaultLimit = 50
    private static let referenceLength = 1...64
    private static let paging: Set<String> = ["limit", "cursor"]

    static let foreignCursor = "Is no cursor of an earlier page of this list."

    private let values: [String: String]

    /// - Parameter known: the route's own parameters, beside `limit` and `cursor` where it `isPaged`.
    /// - Throws: ``Problem`` `unknown_field` for another name, `malformed_request` for one that is given twice or can't be decoded.
    init(_ query: String?, known: Set<String>, isPaged: Bool = true) throws {
        var values: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard known.contains(name) || (isPaged && Self.paging.contains(name)) else {
                throw Self.fault(.unknownField, name.prefix(64), "Is not a parameter of this request.")
            }
            guard let value = Self.decoded(parts.count == 2 ? parts[1] : "") else {
                throw Self.fault(.malformedRequest, name, "Is not percent-encoded UTF-8.")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Self.fault(.malformedRequest, name, "Is given more than once.")
            }
        }
        self.values = values
    }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// A time, to the millisecond; see ``Timestamp/init(rfc3339:rounding:)``.
    func time(_ name: String, rounding: Timestamp.Rounding) throws -> Timestamp? {
        guard let text = values[name] else { return nil }
        guard let time = Timestamp(rfc3339: text, rounding: rounding) else {
            throw Self.fault(.malformedRequest, name, "Must be a time as in RFC 3339, such as 2026-11-21T05:00:00.123Z.")
        }
        return time
    }

    /// `from`, included, and `to`, not included. Times are shown in whole milliseconds and compared as shown: a finer one stands for
    /// the next of those.
    func period() throws -> (from: Timestamp?, to: Timestamp?) {
        let from = try time("from", rounding: .up)
        let to = try time("to", rounding: .up)
        if let from, let to, from > to { throw Self.fault(.malformedRequest, "from", "Must not be later than `to`.") }
        return (from, to)
    }

    /// An id; what is no id of this kind names nothing that exists.
    func identifier<Kind: IdentifierKind>(_ name: String, as: Kind.Type = Kind.self) throws -> PrefixedID<Kind>? {
        guard let text = values[name] else { return nil }
        guard let id = PrefixedID<Kind>(text) else { throw Self.fault(.notFound, name, "Names nothing that exists.") }
        return id
    }

    func kind() throws -> PostingKind? {
        guard let text = values["kind"] else { return nil }
        guard let kind = PostingKind(rawValue: text) else {
            throw Self.fault(.malformedRequest, "kind", "Must be one of \(PostingKind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return kind
    }

    /// Whether only holds that are open are asked for. There is no index for the ones that ended one way or another.
    func openOnly() throws -> Bool {
        guard let text = values["status"] else { return false }
        guard text == HoldStatus.open.rawValue else { throw Self.fault(.malformedRequest, "status", "Can only be open.") }
        return true
    }

    func reference() throws -> String? {
        guard let text = values["reference"] else { return nil }
        guard Self.referenceLength.contains(text.unicodeScalars.count), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw Self.fault(.malformedRequest, "reference", "Must be 1 to 64 characters, none of them a control character.") }
        return text
    }

    func limit() throws -> Int {
        guard let text = values["limit"] else { return Self.defaultLimit }
        guard let number = Int(text), (1...Self.maximumLimit).contains(number) else {
            throw Self.fault(.malformedRequest, "limit", "Must be a whole number from 1 to \(Self.maximumLimit).")
        }
        return number
    }

    /// What the page before ended with, if there was one.
    ///
    /// - Throws: ``Problem`` `malformed_request` for what is no cursor of this very query.
    func cursor(of list: PageList, fields: Int) throws -> [UInt64]? {
        guard let text = values["cursor"] else { return nil }
        guard let position = PageCursor(text, binding: binding(list), fields: fields)?.position else {
            throw Self.fault(.malformedRequest, "cursor", Self.foreignCursor)
        }
        return position
    }

    func cursor(after position: [UInt64]?, of list: PageList) -> String? {
        position.map { PageCursor(position: $0, binding: binding(list)).text }
    }

    private func binding(_ list: PageList) -> UInt64 {
        let filters = values.filter { !Self.paging.contains($0.key) }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return PageCursor.binding(([list.route, list.principal, list.subject] + filters).joined(separator: "\n"))
    }

    static func fault(_ code: ProblemCode, _ name: some StringProtocol, _ detail: String) -> Problem {
        Problem(RequestFault(code, pointer: "/\(name)", detail: detail))
    }

    private static func decoded(_ text: Substring) -> String? {
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
