import Crypto

/// All keys of one service: one for each service it calls, and up to two for each that calls it.
package struct SigningKeys: Sendable {
    /// A key by which a caller is recognised.
    package struct Inbound: Sendable {
        /// The service that signs with the key.
        package let caller: String
        package let key: SigningKey

        package init(caller: String, key: SigningKey) {
            self.caller = caller
            self.key = key
        }
    }

    /// A key with which a callee recognises this service.
    package struct Outbound: Sendable {
        package let callee: String
        package let key: SigningKey

        package init(callee: String, key: SigningKey) {
            self.callee = callee
            self.key = key
        }
    }

    /// Two, so that a new key can be accepted before the old one is dropped.
    package static let maximumKeysPerCaller = 2
    /// The inbound keys are searched one by one, and more callers than this is no fleet of ours.
    package static let maximumInboundKeys = 64
    /// The letters of a service's name may number from 1 to this.
    package static let maximumServiceNameLength = 40

    /// The service whose keys these are.
    package let service: String
    package let outbound: [Outbound]
    package let inbound: [Inbound]

    /// Checks the keys against each other.
    ///
    /// - Throws: ``SigningKeysError`` naming the first entry that is wrong.
    package init(service: String, outbound: [Outbound], inbound: [Inbound]) throws(SigningKeysError) {
        guard Self.isServiceName(service) else { throw .invalid("/service", .serviceName) }
        guard inbound.count <= Self.maximumInboundKeys else { throw .invalid("/inbound", .tooManyKeys) }
        for (index, entry) in outbound.enumerated() {
            let pointer = "/outbound/\(index)"
            guard Self.isServiceName(entry.callee) else { throw .invalid(pointer + "/callee", .serviceName) }
            try Self.check(entry.key, at: pointer)
            guard !outbound[..<index].contains(where: { $0.callee == entry.callee }) else { throw .invalid(pointer + "/callee", .secondKeyForCallee) }
        }
        for (index, entry) in inbound.enumerated() {
            let pointer = "/inbound/\(index)"
            let earlier = inbound[..<index]
            guard Self.isServiceName(entry.caller) else { throw .invalid(pointer + "/caller", .serviceName) }
            try Self.check(entry.key, at: pointer)
            guard !earlier.contains(where: { $0.key.keyID == entry.key.keyID }) else { throw .invalid(pointer + "/keyid", .duplicateKeyID) }
            // With one secret between two callers each could sign in the other's name.
            guard !earlier.contains(where: { $0.key.secret == entry.key.secret }) else { throw .invalid(pointer + "/secret", .secretReused) }
            let ofCaller = earlier.count { $0.caller == entry.caller }
            guard ofCaller < Self.maximumKeysPerCaller else { throw .invalid(pointer + "/caller", .tooManyKeys) }
        }
        self.service = service
        self.outbound = outbound
        self.inbound = inbound
    }

    /// The key for calls to a service, if there is one that is good at the time (seconds since the Unix epoch).
    package func outboundKey(to callee: String, at time: Int64) -> SigningKey? {
        outbound.first { $0.callee == callee && $0.key.isValid(at: time) }?.key
    }

    /// The inbound key of this id, if it is good at the time (seconds since the Unix epoch).
    package func inboundKey(id keyID: String, at time: Int64) -> Inbound? {
        inbound.first { $0.key.keyID == keyID && $0.key.isValid(at: time) }
    }

    /// Whether a text is a service's name: lower-case letters, digits and inner hyphens, beginning with a letter.
    package static func isServiceName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, first >= UInt8(ascii: "a"), first <= UInt8(ascii: "z"), bytes.count <= maximumServiceNameLength else {
            return false
        }
        return bytes.last != UInt8(ascii: "-")
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    private static func check(_ key: SigningKey, at pointer: String) throws(SigningKeysError) {
        guard SignatureParameters.isParameterText(key.keyID) else { throw .invalid(pointer + "/keyid", .keyID) }
        guard key.secret.bitCount == SignatureProfile.secretLength * 8 else { throw .invalid(pointer + "/secret", .secret) }
        if let notAfter = key.notAfter, notAfter <= key.notBefore { throw .invalid(pointer + "/not_after", .emptyPeriod) }
    }
}
