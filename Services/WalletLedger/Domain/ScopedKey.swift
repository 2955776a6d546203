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
    /// A posting, captures included.
    case posted(TransferID)
    case walletOpened(WalletID)
    case walletChanged(WalletID, version: Int64)
    /// `requestID` is the id under which it was first refused, so that the repeated answer is the same to the byte.
    case refused(Refusal, requestID: String)
    /// An atomic batch of so many transfers; see `TransferID.batchItem(_:)`.
    case batchPosted(first: TransferID, count: Int)
    /// An independent batch; its items have keys of their own.
    case batchTaken
    case holdPlaced(HoldID)
    case holdVoided(HoldID)
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

    package static func transfer(_ request: TransferRequest) -> String {
        render(route: "POST /v1/transfers", members(request))
    }

    package static func object(_ members: [(name: StaticString, value: JSONValue?)]) -> JSONValue {
        .object(members.compactMap { name, value in value.map { JSONMember(name: name.description, value: $0) } })
    }

    package static func members(_ request: TransferRequest) -> [(name: StaticString, value: JSONValue?)] {
        [
            ("source_wallet_id", .string(request.sourceWalletID.description)),
            ("destination_wallet_id", .string(request.destinationWalletID.description)),
        ] + members(request.money, request.reference)
    }

    package static func members(_ money: Money?, _ reference: String?) -> [(name: StaticString, value: JSONValue?)] {
        [
            ("amount", money.map { .number(String($0.amountMinor)) }), ("currency", money.map { .string($0.currency.code) }),
            ("reference", reference.map { .string($0) }),
        ]
    }

    /// The JSON pointer of the first member in which two canonical forms differ; `/route` when the routes do.
    package static func firstDifference(_ kept: String, _ new: String) -> String {
        guard let kept = try? JSONParser.parse(kept.utf8), let new = try? JSONParser.parse(new.utf8) else { return "" }
        if kept["route"] != new["route"] { return "/route" }
        return firstDifference(kept, new, at: "")
    }

    private static func firstDifference(_ kept: JSONValue?, _ new: JSONValue?, at pointer: String) -> String {
        switch (kept, new) {
        case (.object(let old), .object(let members)):
            let name = (members + old).map(\.name).first { kept?[$0] != new?[$0] }
            return name.map { firstDifference(kept?[$0], new?[$0], at: "\(pointer)/\($0)") } ?? pointer
        case (.array(let old), .array(let items)):
            let index = (0..<max(old.count, items.count)).first { $0 >= old.count || $0 >= items.count || old[$0] != items[$0] }
            guard let index else { return pointer }
            guard index < old.count, index < items.count else { return "\(pointer)/\(index)" }
            return firstDifference(old[index], items[index], at: "\(pointer)/\(index)")
        default: return pointer
        }
    }
}
