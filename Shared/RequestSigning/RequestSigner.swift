import Crypto
import HTTPTypes

/// Signs requests to one callee.
package struct RequestSigner: Sendable {
    /// Why a request cannot be signed; safe to log.
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// There is no outbound key for the callee that is good now.
        case noKey(callee: String)
        /// The nonce is empty, too long or needs an escape.
        case nonce
        /// `created` is before the Unix epoch.
        case created
        /// The callee would refuse the request for this reason however it is signed.
        case unsignable(SignatureRejection.Reason)

        package var description: String {
            switch self {
            case .noKey(let callee): "no signing key for \(callee) is valid now"
            case .nonce: "the nonce is not 1 to \(SignatureProfile.maximumParameterLength) plain visible characters"
            case .created: "the time of signing is before 1970"
            case .unsignable(let reason): "the request cannot be signed (\(reason.rawValue))"
            }
        }
    }

    private let keys: SigningKeyStore
    private let callee: String
    private let lifetime: Int64

    /// - Parameter lifetime: Seconds from `created` to `expires`, 1 to ``SignatureProfile/maximumLifetimeSeconds``.
    package init(keys: SigningKeyStore, callee: String, lifetime: Int64 = SignatureProfile.defaultLifetimeSeconds) {
        precondition((1...SignatureProfile.maximumLifetimeSeconds).contains(lifetime), "no callee accepts a signature of this lifetime")
        self.keys = keys
        self.callee = callee
        self.lifetime = lifetime
    }

    /// Adds Content-Digest, Signature-Input and Signature, replacing what an earlier signing left.
    ///
    /// - Parameters:
    ///   - body: The bytes that will be sent, or nil when there is no body. With a body, an empty one too, Content-Type must be set.
    ///   - created: Seconds since the Unix epoch.
    ///   - nonce: Used once per key; see ``SigningNonce``.
    /// - Throws: ``Failure``; the request then is as it was, but for fields of an earlier signing.
    package func sign(_ request: inout SignableRequest, body: [UInt8]?, created: Int64, nonce: String) throws(Failure) {
        guard SignatureParameters.isParameterText(nonce) else { throw .nonce }
        guard created > 0 else { throw .created }
        guard let key = keys.current.outboundKey(to: callee, at: created) else { throw .noKey(callee: callee) }
        request.headerFields[.signatureInput] = nil
        request.headerFields[.signature] = nil
        request.headerFields[.contentDigest] = body.map { ContentDigest.fieldValue(of: $0) }
        var base: SignatureBase
        do {
            base = try SignatureBase(of: request, fields: CoveredFields(of: request.headerFields))
        } catch {
            throw Self.failure(of: error)
        }
        var parameters = [UInt8]()
        SignatureParameters(created: created, expires: created + lifetime, nonce: nonce, keyID: key.keyID).append(to: &parameters)
        base.close(parameters: parameters)

        var input = Array("\(SignatureProfile.label)=".utf8)
        input.append(contentsOf: base.components)
        input.append(UInt8(ascii: ")"))
        input.append(contentsOf: parameters)
        var signature = Array("\(SignatureProfile.label)=:".utf8)
        key.code(over: base).withUnsafeBytes { FixedBase64.append($0, to: &signature) }
        signature.append(UInt8(ascii: ":"))
        request.headerFields.append(HTTPField(name: .signatureInput, value: input))
        request.headerFields.append(HTTPField(name: .signature, value: signature))
    }

    /// Signs with a random nonce of 128 bits from the system's generator; see ``sign(_:body:created:nonce:)``.
    package func sign(_ request: inout SignableRequest, body: [UInt8]?, created: Int64) throws(Failure) {
        var generator = SystemRandomNumberGenerator()
        try sign(&request, body: body, created: created, nonce: SigningNonce.random(using: &generator))
    }

    private static func failure(of rejection: SignatureRejection) -> Failure {
        switch rejection {
        case .invalid(let reason): .unsignable(reason)
        case .missing, .expired, .replayed, .digestMismatch, .callerNotAllowed, .replayWindowUnavailable:
            preconditionFailure("building a signature base only ever finds a request invalid")
        }
    }
}

extension HTTPField.Name {
    static let signature = HTTPField.Name("Signature")!
    static let signatureInput = HTTPField.Name("Signature-Input")!
    static let contentDigest = HTTPField.Name("Content-Digest")!
}
