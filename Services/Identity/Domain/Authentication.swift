package import Contracts
package import FoundationEssentials

/// One thing by which a person proves who they are, as `amr` names it (RFC 8176).
package enum AuthenticationMethod: String, Sendable, Hashable, CaseIterable {
    case password = "pwd"
    case oneTimePassword = "otp"
    case recoveryCode = "recovery_code"

    package var isSecondFactor: Bool { self != .password }
}

/// What was verified of a person, and when. Flows, sessions, codes, refresh families and tokens say the same.
package struct Authentication: Sendable, Hashable {
    /// The authentication context classes (`acr`).
    package static let password = "urn:florin:acr:pwd"
    package static let multiFactor = "urn:florin:acr:mfa"

    package let user: UUID
    /// The user's credential generation that this is good for.
    package let generation: Int64
    /// What was really verified, in the order of ``AuthenticationMethod``.
    package let amr: [String]
    /// When the password was.
    package let authenticatedAt: Timestamp
    /// When the second factor last was; nil if never.
    package let secondFactorAt: Timestamp?

    package init(user: UUID, generation: Int64, amr: [String], authenticatedAt: Timestamp, secondFactorAt: Timestamp?) {
        self.user = user
        self.generation = generation
        self.amr = amr
        self.authenticatedAt = authenticatedAt
        self.secondFactorAt = secondFactorAt
    }

    package var isMultiFactor: Bool {
        let methods = amr.compactMap(AuthenticationMethod.init(rawValue:))
        return methods.contains(.password) && methods.contains(where: \.isSecondFactor)
    }

    /// The authentication context class: follows from what was verified, and from nothing else.
    package var acr: String { isMultiFactor ? Self.multiFactor : Self.password }

    /// With a second factor besides.
    func adding(_ method: AuthenticationMethod, at time: Timestamp) -> Authentication {
        let methods = Set(amr + [method.rawValue])
        return Authentication(
            user: user, generation: generation, amr: AuthenticationMethod.allCases.map(\.rawValue).filter(methods.contains),
            authenticatedAt: authenticatedAt, secondFactorAt: time)
    }
}
