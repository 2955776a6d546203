import Crypto

/// Makes the keys of a fleet: one secret per pair of caller and callee, in the files of both.
package enum SigningKeyGenerator {
    /// Two services, one of which calls the other; written `caller:callee`.
    package struct Pair: Sendable, Hashable, Comparable, CustomStringConvertible {
        package let caller: String
        package let callee: String

        package init(caller: String, callee: String) {
            self.caller = caller
            self.callee = callee
        }

        /// The pair that a text spells, or nil when it is not two different services' names with a colon between.
        package init?(_ text: String) {
            let names = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard names.count == 2, names[0] != names[1], names.allSatisfy(SigningKeys.isServiceName) else { return nil }
            self.init(caller: names[0], callee: names[1])
        }

        package var description: String { "\(caller):\(callee)" }

        package static func < (left: Pair, right: Pair) -> Bool { left.description < right.description }
    }

    /// Keys are good from this many seconds before they are made, so that a service whose clock is behind can use them at once.
    package static let backdatingSeconds: Int64 = 60
    private static let keyIDSuffixDigits = 8

    /// The keys of every service that a pair names, in the order of the services' names. A pair named twice counts once.
    ///
    /// - Parameters:
    ///   - now: Seconds since the Unix epoch.
    ///   - generator: Must be cryptographically secure.
    /// - Throws: ``SigningKeysError`` when a name is none or a callee has too many callers.
    package static func generate(
        pairs: [Pair], now: Int64, using generator: inout some RandomNumberGenerator
    ) throws(SigningKeysError) -> [SigningKeys] {
        var outbound: [String: [SigningKeys.Outbound]] = [:]
        var inbound: [String: [SigningKeys.Inbound]] = [:]
        var seen: Set<Pair> = []
        for pair in pairs where seen.insert(pair).inserted {
            let key = key(for: pair, now: now, using: &generator)
            outbound[pair.caller, default: []].append(.init(callee: pair.callee, key: key))
            inbound[pair.callee, default: []].append(.init(caller: pair.caller, key: key))
        }
        var all: [SigningKeys] = []
        for service in Set(outbound.keys).union(inbound.keys).sorted() {
            all.append(try SigningKeys(service: service, outbound: outbound[service] ?? [], inbound: inbound[service] ?? []))
        }
        return all
    }

    /// A new key of a pair, without an end.
    package static func key(for pair: Pair, now: Int64, using generator: inout some RandomNumberGenerator) -> SigningKey {
        let secret = (0..<SignatureProfile.secretLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let digits = String(UInt32.random(in: .min ... .max, using: &generator), radix: 16)
        let suffix = String(repeating: "0", count: keyIDSuffixDigits - digits.count) + digits
        return SigningKey(
            keyID: "\(pair.caller).\(pair.callee).\(suffix)", secret: SymmetricKey(data: secret), notBefore: now - backdatingSeconds,
            notAfter: nil)
    }
}
