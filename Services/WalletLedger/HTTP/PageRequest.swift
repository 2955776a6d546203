import Contracts

/// `?limit=` 1 to 100 (default 50) and an opaque `cursor`, which for entries is the version that the last page ended with.
struct PageRequest {
    static let maximumLimit = 100
    static let defaultLimit = 50
    private static let cursorPrefix = "v1-"

    let limit: Int
    let before: Int64?

    /// - Throws: ``Problem`` `malformed_request` for any other parameter or value, `unknown_field` for another name.
    init(query: String?) throws {
        var limit = Self.defaultLimit
        var before: Int64?
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "limit":
                // One spelling each: `+5` is another text, and a cursor is one that was given.
                guard let number = Int(value), (1...Self.maximumLimit).contains(number), String(number) == value else {
                    throw Self.fault(.malformedRequest, "limit", "Must be a whole number from 1 to \(Self.maximumLimit).")
                }
                limit = number
            case "cursor":
                guard value.hasPrefix(Self.cursorPrefix), let version = Int64(value.dropFirst(Self.cursorPrefix.count), radix: 36),
                    version > 0, Self.cursor(before: version) == value
                else { throw Self.fault(.malformedRequest, "cursor", "Is no cursor of an earlier page.") }
                before = version
            default: throw Self.fault(.unknownField, parts[0].prefix(64), "Is not a parameter of this request.")
            }
        }
        self.limit = limit
        self.before = before
    }

    static func cursor(before version: Int64) -> String {
        cursorPrefix + String(version, radix: 36)
    }

    private static func fault(_ code: ProblemCode, _ name: some StringProtocol, _ detail: String) -> Problem {
        Problem(RequestFault(code, pointer: "/\(name)", detail: detail))
    }
}
