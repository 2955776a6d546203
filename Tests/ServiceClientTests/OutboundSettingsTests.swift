import ServiceRuntime
import Testing

@testable import ServiceClient

@Suite("Settings of the calls to another service")
struct OutboundSettingsTests {
    private static let declaration = OutboundSettings.Declaration(callee: "wallet-ledger", prefix: "LEDGER")

    private func settings(_ environment: [String: String]) throws -> OutboundSettings {
        try Self.declaration.settings(SettingsReader(environment: environment).read(Self.declaration.declared))
    }

    @Test("they are named by the callee's prefix, and only the address has no default")
    func defaults() throws {
        #expect(Self.declaration.declared.map(\.key) == ["LEDGER_URL", "LEDGER_TIMEOUT", "LEDGER_TRY_TIMEOUT", "LEDGER_CONCURRENCY"])
        let settings = try settings(["LEDGER_URL": "https://wallet-ledger:8103/"])
        #expect(settings.address.description == "https://wallet-ledger:8103")
        #expect(settings.timeout == .seconds(5) && settings.tryTimeout == .seconds(2) && settings.concurrency == 32)
        #expect(throws: InvalidConfiguration.self) { try self.settings([:]) }
    }

    @Test(
        "what can't be meant is refused by name",
        arguments: [
            ("LEDGER_URL", "wallet-ledger:8103"), ("LEDGER_URL", "https://user:secret@wallet-ledger"), ("LEDGER_URL", "https://wallet-ledger/v1"),
            ("LEDGER_TRY_TIMEOUT", "6s"), ("LEDGER_CONCURRENCY", "65"), ("LEDGER_CONCURRENCY", "0"), ("LEDGER_TIMEOUT", "0s"),
        ])
    func refused(key: String, value: String) throws {
        do {
            _ = try settings(["LEDGER_URL": "http://127.0.0.1:8103"].merging([key: value]) { $1 })
            Issue.record("accepted")
        } catch let error as InvalidConfiguration {
            #expect("\(error)".contains(key))
            #expect(!"\(error)".contains("secret"))
        }
    }
}
