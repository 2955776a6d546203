package import Contracts
package import FoundationEssentials

/// An `Idempotency-Key` in its scope: calling service and principal.
package struct ScopedKey: Sendable, Hashable {
    /// A key is 1 to 255 visible ASCII characters.
    package static let maximumLength = 255

    package let caller: String
    package let principal: String
    package let key: String
    /// A digest of the three, the primary key of the row.
    package let id: UUID

    package init(caller: String, principal: String, key: String, digest: (String) -> UUID) {
        self.caller = caller
        self.principal = principal
        self.key = key
        // None of the first two holds a line break, and the key holds visible characters only.
        id = digest("\(caller)\n\(principal)\n\(key)")
    }

    package static func isKey(_ text: some StringProtocol) -> Bool {
        (1...maximumLength).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// How a keyed request was decided.
package enum KeptOutcome: Sendable, Hashable {
    case posted(TransferID)
    case walletOpened(WalletID)
    case walletChanged(WalletID, version: Int64)
    /// `requestID` is the id under which it was first refused, so that the repeated answer is the same to the byte;
    /// `conflict` the posting that has the reference already.
    case refused(TransferRejection, requestID: String, conflict: TransferID?)
}

/// A key that was used: the canonical form of its request and the outcome.
package struct KeptKey: Sendable, Hashable {
    package let request: String
    package let outcome: KeptOutcome

    package init(request: String, outcome: KeptOutcome) {
        self.request = request
        self.outcome = outcome
    }
}

/// The canonical form of a request: route, path parameters and decoded body, as a JSON object with members in a fixed order.
package enum CanonicalRequest {
    package static func render(route: String, _ members: [(name: StaticString, value: JSONValue?)]) -> String {
        var writer = JSONWriter(capacity: 192)
        writer.object { writer in
            writer.member("route", route)
            for (name, value) in members {
                guard let value else { continue }
                writer.name(name)
                writer.value(value)
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The JSON pointer of the first member in which two canonical forms differ; `/route` when the routes do.
    package static func firstDifference(_ kept: String, _ new: String) -> String {
        guard let kept = try? JSONParser.parse(kept.utf8), let new = try? JSONParser.parse(new.utf8) else { return "" }
        if kept["route"] != new["route"] { return "/route" }
        let names = (new.objectValue ?? []).map(\.name) + (kept.objectValue ?? []).map(\.name)
        guard let name = names.first(where: { kept[$0] != new[$0] }) else { return "" }
        return "/\(name)"
    }
}
