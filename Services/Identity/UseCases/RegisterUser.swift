package import Contracts
import FoundationEssentials
import Postgres

/// What a use case needs to know of the request that it serves.
package struct RequestFacts: Sendable {
    package let origin: AttemptOrigin
    package let traceparent: String?
    package let deadline: ContinuousClock.Instant?

    package init(origin: AttemptOrigin, traceparent: String? = nil, deadline: ContinuousClock.Instant? = nil) {
        self.origin = origin
        self.traceparent = traceparent
        self.deadline = deadline
    }
}

/// Begins a registration: mails a code to the address, or, where it has an account, a notice to its owner.
///
/// Nothing tells which (ID-08): each request hashes its password and writes the same rows. No user is made; that takes the code
/// (``VerifyEmail``).
package struct RegisterUser: Sendable {
    private let flows: MailedFlows
    private let hasher: PasswordHasher
    private let blocklist: PasswordBlocklist

    init(flows: MailedFlows, hasher: PasswordHasher, blocklist: PasswordBlocklist) {
        self.flows = flows
        self.hasher = hasher
        self.blocklist = blocklist
    }

    /// - Throws: ``AccountRefusal`` `addressInvalid`; ``PasswordFault``; ``CredentialRefusal`` `overloaded`; `PostgresError`.
    package func callAsFunction(_ request: RegisterUserRequest, _ facts: RequestFacts) async throws -> BegunFlow {
        guard let email = EmailAddress(request.email) else { throw AccountRefusal.addressInvalid }
        let password = try NewPassword.prepare(request.password, email: email, hasSecondFactor: false, blocklist: blocklist)
        let hash = try await hasher.hash(password, until: facts.deadline)
        let candidate = MailedFlows.Candidate(
            passwordPHC: hash.phc, name: request.name, locale: request.locale ?? UserAccount.defaultLocale)
        return try await flows.beginRegistration(of: candidate, at: email, facts)
    }
}
