package import Crypto

/// A secret that one caller and one callee share, with its id and the time in which it is good.
///
/// Nothing prints the secret: not a description, not a mirror, not a dump.
package struct SigningKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The id that stands in a signature; unique among the keys a callee accepts.
    package let keyID: String
    /// 32 random bytes.
    package let secret: SymmetricKey
    /// The first second, since the Unix epoch, in which the key is good.
    package let notBefore: Int64
    /// The first second in which it is good no longer; nil when that is open.
    package let notAfter: Int64?
    /// HMAC with the key already absorbed, copied for every code: it saves two of about ten blocks and the allocations of the padded key.
    private let keyedCode: HMAC<SHA256>

    package init(keyID: String, secret: SymmetricKey, notBefore: Int64, notAfter: Int64?) {
        self.keyID = keyID
        self.secret = secret
        self.notBefore = notBefore
        self.notAfter = notAfter
        keyedCode = HMAC<SHA256>(key: secret)
    }

    /// Whether the key is good at a time in seconds since the Unix epoch.
    package func isValid(at time: Int64) -> Bool {
        time >= notBefore && notAfter.map { time < $0 } ?? true
    }

    /// The code over a signature base (RFC 9421 section 3.3.3).
    package func code(over base: SignatureBase) -> HashedAuthenticationCode<SHA256> {
        var code = keyedCode
        code.update(data: base.bytes)
        return code.finalize()
    }

    package var description: String { "SigningKey(\(keyID))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["keyID": keyID]) }
}
