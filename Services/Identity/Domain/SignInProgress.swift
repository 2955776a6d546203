package import Contracts
package import FoundationEssentials

/// A password that was right.
package struct PasswordProof: Sendable, Hashable {
    package let user: UUID
    package let generation: Int64
    /// Whether the account has a second factor, which is then asked for whoever asks for it or not.
    package let hasSecondFactor: Bool
    /// Good only beside a second factor.
    package let isShort: Bool

    package init(user: UUID, generation: Int64, hasSecondFactor: Bool, isShort: Bool) {
        self.user = user
        self.generation = generation
        self.hasSecondFactor = hasSecondFactor
        self.isShort = isShort
    }
}

/// Why a change of a flow is not made.
package enum SignInMisstep: Error, Sendable, Hashable {
    /// It belongs to another step than the one that the flow stands at: a second click, a step back or sideways.
    case outOfOrder
    case expired
}

/// How far a person has come in answering one authorization request: the whole rule of what follows what.
///
/// Each change names the step that it is for. It moves the flow only from there, so that no order of posts, repeats and steps back reaches
/// the end on another way than by password, second factor where the account has one, and consent where it is needed.
package struct SignInProgress: Sendable, Hashable {
    package enum Step: String, Sendable, Hashable, CaseIterable {
        case password
        case secondFactor = "second_factor"
        case consent
        case finished
        case refused
    }

    /// After as many wrong codes a flow ends.
    package static let maximumWrongCodes = 5

    package let demand: SignInDemand
    package let expiresAt: Timestamp
    package private(set) var step: Step
    /// What was verified so far: complete only once the flow has left ``Step/secondFactor``.
    package private(set) var proved: Authentication?
    package private(set) var wrongCodes: Int

    /// As it is kept.
    package init(demand: SignInDemand, expiresAt: Timestamp, step: Step, proved: Authentication?, wrongCodes: Int) {
        self.demand = demand
        self.expiresAt = expiresAt
        self.step = step
        self.proved = proved
        self.wrongCodes = wrongCodes
    }

    /// Where a request begins.
    ///
    /// - Parameters:
    ///   - session: What the browser's session says; nil without one.
    ///   - hasSecondFactor: Whether its user has a second factor.
    ///   - needsConsent: Whether its user must still consent.
    package init(
        _ demand: SignInDemand, session: Authentication?, hasSecondFactor: Bool, needsConsent: Bool, now: Timestamp, expiresAt: Timestamp
    ) {
        self.init(demand: demand, expiresAt: expiresAt, step: .password, proved: nil, wrongCodes: 0)
        guard let session, !demand.asksPassword(of: session, at: now) else { return }
        proved = session
        step = stepAfterPassword(hasSecondFactor: hasSecondFactor, needsConsent: needsConsent)
    }

    /// Who signed in, once all that is asked of them was verified.
    package var authentication: Authentication? { step == .consent || step == .finished ? proved : nil }

    /// After the right password. A short one without a second factor ends the flow.
    package func entered(_ password: PasswordProof, needsConsent: Bool, at now: Timestamp) throws(SignInMisstep) -> SignInProgress {
        var next = try leaving(.password, at: now)
        next.proved = Authentication(
            user: password.user, generation: password.generation, amr: [AuthenticationMethod.password.rawValue], authenticatedAt: now,
            secondFactorAt: nil)
        next.step =
            password.isShort && !password.hasSecondFactor
            ? .refused : next.stepAfterPassword(hasSecondFactor: password.hasSecondFactor, needsConsent: needsConsent)
        return next
    }

    /// After the right code.
    package func entered(_ factor: AuthenticationMethod, needsConsent: Bool, at now: Timestamp) throws(SignInMisstep) -> SignInProgress {
        var next = try leaving(.secondFactor, at: now)
        guard factor.isSecondFactor else { throw .outOfOrder }
        next.proved = proved?.adding(factor, at: now)
        next.step = needsConsent ? .consent : .finished
        return next
    }

    package func enteredWrongCode(at now: Timestamp) throws(SignInMisstep) -> SignInProgress {
        var next = try leaving(.secondFactor, at: now)
        next.wrongCodes += 1
        if next.wrongCodes >= Self.maximumWrongCodes { next.step = .refused }
        return next
    }

    package func consented(at now: Timestamp) throws(SignInMisstep) -> SignInProgress {
        var next = try leaving(.consent, at: now)
        next.step = .finished
        return next
    }

    package func denied(at now: Timestamp) throws(SignInMisstep) -> SignInProgress {
        var next = try leaving(.consent, at: now)
        next.step = .refused
        return next
    }

    private func leaving(_ step: Step, at now: Timestamp) throws(SignInMisstep) -> SignInProgress {
        guard self.step == step else { throw .outOfOrder }
        guard now < expiresAt else { throw .expired }
        return self
    }

    /// What decides is the account: who has a second factor is asked for it, whoever demands it.
    private func stepAfterPassword(hasSecondFactor: Bool, needsConsent: Bool) -> Step {
        if proved?.isMultiFactor != true {
            if hasSecondFactor { return .secondFactor }
            if demand.needsSecondFactor { return .refused }
        }
        return needsConsent ? .consent : .finished
    }
}
