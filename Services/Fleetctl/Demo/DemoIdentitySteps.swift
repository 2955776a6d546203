import Contracts
import FoundationEssentials

/// A person's way in: an account by a mailed code, sign-ins with one factor and with two, sessions, refresh tokens, and a theft that is noticed.
struct DemoIdentitySteps: Sendable {
    let accounts: DemoAccounts
    let report: DemoReport

    func callAsFunction() async throws {
        let mark = UUID().uuidString.lowercased().prefix(8)
        let (address, password) = ("ana.\(mark)@example.com", "four quiet herons \(mark)")
        try await signUp(address, password)
        let app = try await report.find("an operator registers a first-party app") { step in
            let id = "demo-app-\(mark)"
            return (found: try await accounts.registerApp(id, scopes: ["openid", "wallet", "offline_access"], step), shown: id as String?)
        }
        let first = try await report.find("the app signs her in with her password and gets tokens") { step in
            let attempt = try await app.begin(address, password)
            return (found: try await accounts.tokens(app, attempt, step), shown: nil)
        }
        let authenticator = try await enrol(first)
        let otherPhone = app.elsewhere
        let second = try await signInWithTwoFactors(otherPhone, address, password, authenticator)
        try await endSession(app, of: first, by: second)
        try await rotate(otherPhone, second)
    }

    private func signUp(_ address: String, _ password: String) async throws {
        let flow = try await report.find("a person signs up; whether the address is taken, the answer does not say") { step in
            (found: try await accounts.signUp(address, password, name: "Ana Demo", step), shown: nil as String?)
        }
        let code = try await report.find("a code is mailed: identity, outbox, RabbitMQ, notification, SMTP; sealed until it is sent") { step in
            (found: try await accounts.mailedCode(to: address, step), shown: "\(address) got it" as String?)
        }
        try await report.step("with the code there is an account, once") { step in
            "\(try await accounts.verify(flow, code, step))"
        }
    }

    private func enrol(_ tokens: TokenBody) async throws -> DemoAuthenticator {
        try await report.find("she adds an authenticator app: its secret counts once a code of it was entered") { step in
            let enrolment = try step.read(
                try await accounts.signed("POST", "/v1/me/mfa/totp", token: tokens.accessToken), status: 200, as: TOTPEnrolmentBody.self)
            guard let authenticator = DemoAuthenticator(secret: enrolment.secret) else {
                throw DemoFailure(step: step.title, expected: "a secret in base32", got: "something else")
            }
            let answer = try await accounts.signed(
                "POST", "/v1/me/mfa/totp/confirm", token: tokens.accessToken, body: ConfirmTOTPRequest(code: authenticator.code()))
            let codes = try step.read(answer, status: 200, as: RecoveryCodesBody.self).recoveryCodes
            return (found: authenticator, shown: "\(codes.count) recovery codes")
        }
    }

    private func signInWithTwoFactors(
        _ app: DemoApp, _ address: String, _ password: String, _ authenticator: DemoAuthenticator
    ) async throws -> TokenBody {
        let attempt = try await report.find("from then on her password alone gets nothing, on another phone say") { step in
            let attempt = try await app.begin(address, password)
            let refusal = try step.read(attempt.answer, status: 400, as: ChallengeErrorBody.self)
            try step.expect("error", "insufficient_authorization", refusal.error)
            return (found: attempt, shown: refusal.error)
        }
        return try await report.find("with a code of the authenticator she is in") { step in
            let session = try step.read(attempt.answer, status: 400, as: ChallengeErrorBody.self).authSession ?? ""
            // The code that confirmed the enrolment is used; the next one counts already.
            let signedIn = try await app.enter(authenticator.code(stepsAhead: 1), in: session, of: attempt)
            return (found: try await accounts.tokens(app, signedIn, step), shown: nil)
        }
    }

    private func endSession(_ app: DemoApp, of first: TokenBody, by second: TokenBody) async throws {
        try await report.step("she sees where she is signed in, and ends the other session: its refresh token is dead") { step in
            let page = try step.read(
                try await accounts.signed("GET", "/v1/me/sessions", token: second.accessToken), status: 200, as: PageBody<SessionBody>.self)
            try step.expect("sessions", 2, page.items.count)
            guard let other = page.items.first(where: { !$0.isCurrent }) else {
                throw DemoFailure(step: step.title, expected: "another session", got: "none")
            }
            let ended = try await accounts.signed("DELETE", "/v1/me/sessions/\(other.id)", token: second.accessToken)
            try step.expect(ended, status: 204)
            try expectInvalidGrant(try await app.refresh(first.refreshToken ?? ""), step)
            return "\(other.id)"
        }
    }

    private func rotate(_ app: DemoApp, _ tokens: TokenBody) async throws {
        let first = tokens.refreshToken ?? ""
        let second = try await report.find("a refresh token has one successor, and a lost answer can be asked for again") { step in
            let successor = try step.read(try await app.refresh(first), status: 200, as: TokenBody.self).refreshToken ?? ""
            let again = try step.read(try await app.refresh(first), status: 200, as: TokenBody.self).refreshToken ?? ""
            try step.expect("the same successor", true, successor == again && successor != first)
            return (found: successor, shown: nil as String?)
        }
        try await report.step("a token that comes back after its successor was used is stolen: the whole family dies") { step in
            let third = try step.read(try await app.refresh(second), status: 200, as: TokenBody.self).refreshToken ?? ""
            try expectInvalidGrant(try await app.refresh(first), step)
            try expectInvalidGrant(try await app.refresh(third), step)
            return "invalid_grant for thief and owner"
        }
    }

    private func expectInvalidGrant(_ answer: DemoAnswer, _ step: DemoStep) throws {
        let error = try step.read(answer, status: 400, as: OAuthErrorBody.self)
        try step.expect("error", "invalid_grant", error.error)
    }
}
