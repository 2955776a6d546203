import Contracts
import FoundationEssentials
import RequestSigning
import ServiceRuntime

/// Who takes part: two new users, a client and a member of staff, all with tokens of identity's.
struct DemoPeople: Sendable {
    private static let staffScopes = ["ledger:operate", "risk:operate"]
    private static let staffRoles: [UserRole] = [.admin, .riskAnalyst]
    private static let clientScopes = ["ledger:read", "ledger:write", "ledger:fund"]

    let firstID: UserID
    let secondID: UserID
    let first: DemoCaller
    let second: DemoCaller
    let client: DemoCaller
    let staff: DemoCaller
    /// The same member of staff, before ops-risk.
    let riskStaff: DemoCaller

    /// New accounts each time, so that the journey can be repeated on kept data.
    init(_ accounts: DemoAccounts, _ keys: DemoKeys, _ report: DemoReport) async throws {
        let mark = UUID().uuidString.lowercased().prefix(8)
        let password = "six patient otters \(mark)"
        let (first, second) = try await report.find("two people sign up, and an app signs each of them in") { step in
            let addresses = ("bo.\(mark)@example.com", "cy.\(mark)@example.com")
            let flows = (
                try await accounts.signUp(addresses.0, password, name: "Bo Demo", step),
                try await accounts.signUp(addresses.1, password, name: "Cy Demo", step)
            )
            let app = try await accounts.registerApp("demo-people-\(mark)", scopes: ["wallet"], step)
            func signIn(_ address: String, _ flow: String) async throws -> (user: UserID, token: String) {
                let user = try await accounts.verify(flow, try await accounts.mailedCode(to: address, step), step)
                return (user, try await accounts.tokens(app, try await app.begin(address, password), step).accessToken)
            }
            let first = try await signIn(addresses.0, flows.0)
            return (found: (first, try await signIn(addresses.1, flows.1)), shown: nil as String?)
        }
        let staff = try await report.find("an operator makes a member of staff, who sets a password by a mailed code and signs in") { step in
            let address = "ops.\(mark)@example.com"
            try await accounts.createStaff(address, roles: Self.staffRoles, step)
            try await accounts.recover(address, password, step)
            let app = try await accounts.registerApp("demo-staff-\(mark)", scopes: Self.staffScopes, step)
            let tokens = try await accounts.tokens(app, try await app.begin(address, password), step)
            return (found: tokens.accessToken, shown: Self.staffRoles.map(\.rawValue).joined(separator: ", ") as String?)
        }
        let client = try await report.find("a client gets a token with its secret") { step in
            (found: try await accounts.clientToken("demo-\(mark)", scopes: Self.clientScopes, step), shown: nil as String?)
        }
        (firstID, secondID) = (first.user, second.user)
        self.first = DemoCaller(signer: keys.mobileApps, token: first.token)
        self.second = DemoCaller(signer: keys.mobileApps, token: second.token)
        self.client = DemoCaller(signer: keys.gateway, token: client)
        self.staff = DemoCaller(signer: keys.backoffice, token: staff)
        riskStaff = DemoCaller(signer: keys.backofficeBeforeRisk, token: staff)
    }
}

/// By whom requests are signed, before whom.
struct DemoKeys: Sendable {
    let mobileApps: RequestSigner
    let mobileAppsBeforeIdentity: RequestSigner
    let gateway: RequestSigner
    let backoffice: RequestSigner
    let backofficeBeforeRisk: RequestSigner

    /// - Throws: ``InvalidConfiguration`` when a key file can't be used.
    init(_ settings: DemoSettings) throws(InvalidConfiguration) {
        func signer(_ caller: String, before callee: String) throws -> RequestSigner {
            let path = SigningKeyFolder(path: settings.keysDirectory).path(of: caller)
            return RequestSigner(keys: try SigningKeyStore(path: path), callee: callee)
        }
        do {
            mobileApps = try signer("mobile-bff", before: "wallet-ledger")
            mobileAppsBeforeIdentity = try signer("mobile-bff", before: "identity")
            gateway = try signer("api-gateway", before: "wallet-ledger")
            backoffice = try signer("backoffice", before: "wallet-ledger")
            backofficeBeforeRisk = try signer("backoffice", before: "ops-risk")
        } catch {
            throw InvalidConfiguration(key: "FLORIN_KEYS_DIRECTORY", "\(error)")
        }
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
