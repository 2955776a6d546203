import Foundation
import ServiceRuntime
import TestSupport
import Testing

@testable import Identity

@Suite struct CredentialSettingsTests {
    private func load(_ changes: [String: String] = [:], environment: String = "local") throws -> CredentialSettings {
        let all = ["FLORIN_ENVIRONMENT": environment].merging(changes) { $1 }
        return CredentialSettings(try SettingsReader(environment: all).read([FlorinEnvironment.setting] + CredentialSettings.declared))
    }

    @Test func `a cost below the standard is taken in tests and refused in production`() throws {
        #expect(try load().hasher().cost == .standard)
        #expect(try load(["PASSWORD_HASH_COST": "ln=4,r=8,p=1"]).hasher().cost == CredentialFixture.cost)
        #expect(try load(["PASSWORD_HASH_COST": "ln=15,r=8,p=3"], environment: "production").hasher().cost.isStrong)
        for weak in ["ln=4,r=8,p=1", "ln=14,r=8,p=4", "ln=14", "14"] {
            let error = #expect(throws: InvalidConfiguration.self) {
                _ = try load(["PASSWORD_HASH_COST": weak], environment: "production")
            }
            #expect(error?.description.contains("PASSWORD_HASH_COST") == true)
        }
    }

    @Test func `the list that is shipped is read; one that is not there or empty is refused`() throws {
        #expect(try load(["PASSWORD_BLOCKLIST_FILE": RepositoryRoot.path("infra/identity/passwords.txt")]).blocklist().count > 3_000)
        let folder = try TemporaryFolder("blocklist")
        let empty = "\(folder.path)/empty.txt"
        try Data("#!comment: nothing\n\n".utf8).write(to: URL(fileURLWithPath: empty))
        for (path, reason) in [(empty, "holds no password"), ("\(folder.path)/none.txt", "can't be read"), (folder.path, "can't be read")] {
            let error = #expect(throws: InvalidConfiguration.self) { try load(["PASSWORD_BLOCKLIST_FILE": path]).blocklist() }
            #expect(error?.description.contains(reason) == true)
        }
    }
}
