import Foundation
import TestSupport
import Testing

@testable import Identity

/// An independent relying party: PyPI's Authlib, in a virtual environment of its own.
private enum RelyingParty {
    private static let folder = RepositoryRoot.path("Tests/IdentityTests/relyingparty")
    private static let prepare = [
        "/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-relying-party", "\(folder)/requirements.txt",
    ]

    @Sendable static func install() async throws { try await Shell.run(prepare) }

    /// - Parameter order: Its secrets go by a file that only this user can read, never by the process list.
    static func run(_ order: [String: String], in folder: TemporaryFolder) async throws -> String {
        try await install()
        let file = "\(folder.path)/order.json"
        _ = FileManager.default.createFile(atPath: file, contents: try JSONEncoder().encode(order), attributes: [.posixPermissions: 0o600])
        let python = RepositoryRoot.path(".local/python-relying-party/venv/bin/python")
        return try await Shell.run(["/bin/bash", "-c", "exec \"$0\" \"$1\" <\"$2\"", python, "\(Self.folder)/relying_party.py", file])
    }
}

@Suite("An independent relying party", .enabled("Authlib can be installed") { await OutsideTool.isAvailable(RelyingParty.install) })
struct RelyingPartyTests {
    @Test("Authlib completes discovery, code, ID token checks, userinfo, refresh, introspection and revocation")
    func authlib() async throws {
        let api = try await ProviderAPI.shared()
        let code = try await api.code()
        let done = try await RelyingParty.run(
            [
                "issuer": "http://127.0.0.1:\(api.port)", "client_id": "rp-1", "client_secret": api.secrets["rp-1"] ?? "", "code": code.code,
                "verifier": code.verifier, "redirect_uri": ProviderAPI.redirectURI, "nonce": "n", "resource_id": "machine",
                "resource_secret": api.secrets["machine"] ?? "",
            ], in: TemporaryFolder("relying-party"))
        #expect(done.contains("revocation"))
    }
}
