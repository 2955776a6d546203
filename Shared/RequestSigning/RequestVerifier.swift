import Crypto
import HTTPTypes

/// Decides whether a request comes from the service that its signature names, in three steps.
///
/// ``verifyHead(_:now:isRouteOpenTo:)`` before the body is read, ``verifyBody(_:body:)-(_,UnsafeRawBufferPointer)`` with the body as
/// received, ``admitNonce(_:isRepeatable:now:)`` last, and all of them before anything else runs.
package struct RequestVerifier: Sendable {
    private let keys: SigningKeyStore
    private let replayWindow: any ReplayWindow

    package init(keys: SigningKeyStore, replayWindow: any ReplayWindow) {
        self.keys = keys
        self.replayWindow = replayWindow
    }

    /// Checks shape, key, route, code and clock, in this order.
    ///
    /// - Parameters:
    ///   - now: Seconds since the Unix epoch.
    ///   - isRouteOpenTo: Whether the named service may use the route; asked only when the key is known, and before the code is computed.
    package func verifyHead(
        _ request: SignableRequest, now: Int64, isRouteOpenTo: (_ caller: String) -> Bool
    ) throws(SignatureRejection) -> VerifiedCaller {
        let shape = try SignatureShape(of: request)
        let parameters = shape.parameters
        guard let inbound = keys.current.inboundKey(id: parameters.keyID, at: now) else { throw .invalid(.unknownKey) }
        guard isRouteOpenTo(inbound.caller) else { throw .callerNotAllowed }
        // The comparison takes the same time wherever the first difference stands.
        guard inbound.key.code(over: shape.base) == shape.code else { throw .invalid(.wrongCode) }
        guard parameters.created <= now + SignatureProfile.clockSkewSeconds else { throw .invalid(.createdInFuture) }
        guard (1...SignatureProfile.maximumLifetimeSeconds).contains(parameters.expires - parameters.created) else { throw .invalid(.lifetime) }
        guard parameters.expires > now - SignatureProfile.clockSkewSeconds else { throw .expired }
        return VerifiedCaller(
            caller: inbound.caller, keyID: inbound.key.keyID, nonce: parameters.nonce, created: parameters.created,
            expires: parameters.expires, expectedDigest: shape.contentDigest)
    }

    /// Checks that the body is the signed one.
    ///
    /// - Parameter body: Every byte as received, decoded in no way; empty when there is none.
    /// - Throws: `.digestMismatch`, or `.invalid(.contentDigestMissing)` when there is a body though none was signed.
    package func verifyBody(_ caller: VerifiedCaller, body: UnsafeRawBufferPointer) throws(SignatureRejection) {
        guard let expected = caller.expectedDigest else {
            guard body.isEmpty else { throw .invalid(.contentDigestMissing) }
            return
        }
        guard ContentDigest.digest(of: body) == expected else { throw .digestMismatch }
    }

    /// See ``verifyBody(_:body:)-(_,UnsafeRawBufferPointer)``.
    package func verifyBody(_ caller: VerifiedCaller, body: [UInt8]) throws(SignatureRejection) {
        guard let expected = caller.expectedDigest else {
            guard body.isEmpty else { throw .invalid(.contentDigestMissing) }
            return
        }
        guard body.withUnsafeBytes({ ContentDigest.digest(of: $0) }) == expected else { throw .digestMismatch }
    }

    /// Uses the nonce up. It is the last step, so that a request refused for anything else does not touch the window.
    ///
    /// - Parameter isRepeatable: Whether the request reads, or carries an idempotency key; see ``ReplayWindow``.
    /// - Throws: `.replayed`, `.expired` or `.replayWindowUnavailable`.
    package func admitNonce(_ caller: VerifiedCaller, isRepeatable: Bool, now: Int64) async throws(SignatureRejection) {
        try await replayWindow.admit(caller, isRepeatable: isRepeatable, now: now)
    }
}
