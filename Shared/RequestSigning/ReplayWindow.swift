/// Remembers which signed requests were let in, so that each counts once.
package protocol ReplayWindow: Sendable {
    /// Uses a nonce up; called last, when everything else about the signature is right.
    ///
    /// - Parameters:
    ///   - isRepeatable: Whether the request does no harm when it comes twice: it reads, or it carries an idempotency key. A window that
    ///     can't reach its memory may let only such a request in.
    ///   - now: Seconds since the Unix epoch.
    /// - Throws: `.replayed`, `.expired`, or `.replayWindowUnavailable` when nothing can be said or remembered.
    func admit(_ caller: VerifiedCaller, isRepeatable: Bool, now: Int64) async throws(SignatureRejection)
}

extension InProcessReplayWindow: ReplayWindow {
    package func admit(_ caller: VerifiedCaller, isRepeatable: Bool, now: Int64) throws(SignatureRejection) {
        try admit(caller, now: now)
    }
}
