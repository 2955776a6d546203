import AccessTokens
import Contracts
import FoundationEssentials
import RequestSigning

/// Who takes part: two new users, a client and a member of staff.
struct DemoPeople: Sendable {
    /// The role by which the ledger knows its operators.
    private static let operatorRole = "ledger-operator"
    private static let riskOperatorRole = "risk-operator"

    let firstID: UserID
    let secondID: UserID
    let first: DemoCaller
    let second: DemoCaller
    let client: DemoCaller
    let staff: DemoCaller
    /// The same member of staff, before ops-risk.
    let riskStaff: DemoCaller
    /// mobile-bff, before identity, whose users bring tokens of identity's own.
    let identitySigner: RequestSigner

    /// New user ids each time, so that the journey can be repeated on kept data.
    ///
    /// - Throws: when a key file or the issuer cannot be used.
    init(_ settings: DemoSettings, now: Int64) async throws {
        let issuer = try LocalTokenIssuer(directory: settings.issuerDirectory, environment: settings.environmentName)
        var random = SystemRandomNumberGenerator()
        firstID = UserID.new(milliseconds: now * 1_000, using: &random)
        secondID = UserID.new(milliseconds: now * 1_000, using: &random)
        let staffID = UserID.new(milliseconds: now * 1_000, using: &random)
        func caller(_ service: String, _ principal: Principal, _ scopes: [String], roles: [String] = []) async throws -> DemoCaller {
            try await DemoCaller(
                service: service, principal: principal, scopes: scopes, roles: roles, issuer: issuer,
                keysDirectory: settings.keysDirectory, now: now)
        }
        first = try await caller("mobile-bff", .user(firstID.description), ["wallet"])
        second = try await caller("mobile-bff", .user(secondID.description), ["wallet"])
        client = try await caller("api-gateway", .client("demo"), ["ledger:read", "ledger:write", "ledger:fund"])
        staff = try await caller("backoffice", .user(staffID.description), ["ledger:operate"], roles: [Self.operatorRole])
        identitySigner = RequestSigner(
            keys: try SigningKeyStore(path: SigningKeyFolder(path: settings.keysDirectory).path(of: "mobile-bff")), callee: "identity")
        riskStaff = try await DemoCaller(
            service: "backoffice", callee: "ops-risk", principal: .user(staffID.description), scopes: ["risk:operate"],
            roles: [Self.riskOperatorRole], issuer: issuer, keysDirectory: settings.keysDirectory, now: now)
    }
}

/// The wallets of the two users.
struct DemoWallets: Sendable {
    let first: WalletID
    let second: WalletID
}

/// Idempotency keys that were never used before.
enum DemoKey {
    static func fresh() -> String {
        "demo-\(UUID().uuidString.lowercased())"
    }
}
