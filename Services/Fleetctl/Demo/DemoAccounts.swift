import AccessTokens
import Contracts
import FoundationEssentials
import RequestSigning
import StrictJSON

/// Accounts and clients as people and operators get them from identity: by mailed codes and by the service's own commands.
struct DemoAccounts: Sendable {
    private static let patience = Duration.seconds(30)
    private static let pause = Duration.milliseconds(100)

    let identity: DemoService
    let fleet: DemoFleet
    /// Signs for mobile-bff, before identity.
    let signer: RequestSigner

    // MARK: people

    /// Begins a registration; the handle by which it goes on.
    func signUp(_ address: String, _ password: String, name: String, _ step: DemoStep) async throws -> String {
        let body = RegisterUserRequest(email: address, password: password, name: name)
        return try step.read(try await signed("POST", "/v1/users", body: body), status: 202, as: CodeRequestedBody.self).flow
    }

    func verify(_ flow: String, _ code: String, _ step: DemoStep) async throws -> UserID {
        let body = VerifyEmailRequest(flow: flow, code: code)
        return try step.read(try await signed("POST", "/v1/users/verify-email", body: body), status: 200, as: UserIDBody.self).userID
    }

    /// Sets a password by a mailed code, as somebody does who has forgotten theirs, or never had one.
    func recover(_ address: String, _ password: String, _ step: DemoStep) async throws {
        let begun = try await signed("POST", "/v1/recovery", body: RecoveryRequest(email: address))
        let flow = try step.read(begun, status: 202, as: CodeRequestedBody.self).flow
        let code = try await mailedCode(to: address, step)
        let body = CompleteRecoveryRequest(flow: flow, code: code, newPassword: password)
        try step.expect(try await signed("POST", "/v1/recovery/complete", body: body), status: 204)
    }

    /// Waits for a mail to the address with a code of six digits.
    func mailedCode(to address: String, _ step: DemoStep) async throws -> String {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            for line in try await fleet.mails(last: 20) {
                guard let mail = try? JSONParser.parse(Array(line.utf8)), let raw = mail["raw"]?.stringValue, raw.contains(address),
                    let text = mail["text"]?.stringValue
                else { continue }
                let code = text.split(whereSeparator: { !$0.isNumber }).first { $0.count == 6 }
                if let code { return String(code) }
            }
            try await Task.sleep(for: Self.pause)
        }
        throw DemoFailure(step: step.title, expected: "a mail with a code", got: "none within \(Self.patience.components.seconds) s")
    }

    /// What a person gets who has signed in to an app.
    func tokens(_ app: DemoApp, _ attempt: DemoApp.Attempt, _ step: DemoStep) async throws -> TokenBody {
        let code = try step.read(attempt.answer, status: 200, as: AuthorizationCodeBody.self).code
        return try step.read(try await app.redeem(code, of: attempt), status: 200, as: TokenBody.self)
    }

    func signed(_ method: String, _ target: String, token: String? = nil, body: (any WireRequest)? = nil) async throws -> DemoAnswer {
        try await identity.call(signer, method, target, token: token, body: body)
    }

    // MARK: what operators do

    /// Registers a first-party app that may have these scopes.
    func registerApp(_ id: String, scopes: [String], _ step: DemoStep) async throws -> DemoApp {
        let grants = ["--grant", "authorization_code", "--grant", "refresh_token"]
        _ = try await run(["clients", "add", id, "--name", "Demo app", "--public", "--first-party"] + grants + Self.options(scopes), step)
        return DemoApp(identity: identity, clientID: id, scopes: scopes)
    }

    /// Registers a machine's client, and gets a token with its secret.
    func clientToken(_ id: String, scopes: [String], _ step: DemoStep) async throws -> String {
        let added = ["clients", "add", id, "--name", "Demo client", "--grant", "client_credentials"] + Self.options(scopes)
        // The secret is a line of its own; what was done is said on standard error, which comes along here.
        let lines = try await run(added, step).split(whereSeparator: \.isNewline)
        guard let secret = lines.first(where: { Base64URL.decode(Array($0.utf8))?.count == 32 }) else {
            throw DemoFailure(step: step.title, expected: "a secret", got: "none")
        }
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", String(secret))]
        return try step.read(try await identity.post("/oauth2/token", form), status: 200, as: TokenBody.self).accessToken
    }

    /// Creates a member of staff with these roles, who has no password yet.
    func createStaff(_ address: String, roles: [UserRole], _ step: DemoStep) async throws {
        guard let first = roles.first else { return }
        let person = ["--requested-by", "demo"]
        let created = try await run(["users", "create-staff", "--email", address, "--role", first.rawValue] + person, step)
        guard let user = created.split(whereSeparator: \.isWhitespace).compactMap({ UserID(String($0)) }).first else {
            throw DemoFailure(step: step.title, expected: "a user's id", got: "none")
        }
        for role in roles.dropFirst() {
            _ = try await run(["users", "grant", "--user", user.description, "--role", role.rawValue] + person, step)
        }
    }

    private func run(_ arguments: [String], _ step: DemoStep) async throws -> String {
        let outcome = try await fleet.run("identity", arguments)
        try step.expect("exit code", 0, outcome.exitCode ?? -1)
        return outcome.output
    }

    private static func options(_ scopes: [String]) -> [String] { scopes.flatMap { ["--scope", $0] } }
}
