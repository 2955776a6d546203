import AMQP
import EventBroker
import ServiceRuntime
import TestSupport
import Testing

@Suite("Settings of the broker")
struct BrokerSettingsTests {
    private static let password = "hunter2"

    private func settings(_ url: String?, authority: String? = nil) throws(InvalidConfiguration) -> BrokerSettings {
        var environment: [String: String] = [:]
        if let url { environment["RABBITMQ_URL"] = url }
        if let authority { environment["RABBITMQ_CA_FILE"] = authority }
        return try BrokerSettings(SettingsReader(environment: environment).read(BrokerSettings.declared))
    }

    @Test("an encrypted broker is verified with the system's authorities, unless others are named")
    func authorities() async throws {
        let authority = try await TestAuthority()
        let plain = try settings("amqp://florin:\(Self.password)@broker:5673")
        #expect(plain.configuration.host == "broker" && plain.configuration.port == 5_673 && !plain.configuration.isEncrypted)
        #expect(try settings("amqps://florin:\(Self.password)@broker", authority: authority.certificate).configuration.isEncrypted)
        #expect(try settings("amqps://florin:\(Self.password)@broker").configuration.isEncrypted)
    }

    @Test(
        "an address that can't be used is refused by the variable's name, and nothing of it is told",
        arguments: [
            "", "http://florin:hunter2@broker", "florin:hunter2@broker", "amqp://hunter2@broker", "amqp://florin:hunter2@",
            "amqp://florin:hunter2@broker:0", "amqp://florin:hunter2@broker/a/b", "amqp://florin:hunter2@broker?hunter2=1",
            "amqp://florin:hunter2%zz@broker", "amqp://florin:hunter2@broker\u{1}",
        ])
    func refused(_ url: String) throws {
        let error = try #require(throws: InvalidConfiguration.self) { try settings(url) }
        #expect(error.problems.map(\.key) == ["RABBITMQ_URL"])
        let said = "\(error) \(String(reflecting: error))"
        #expect(!said.contains(Self.password) && !said.contains("florin:"), "\(said)")
    }

    @Test("authorities that can't be used are refused by the name of the setting that names them; a plain broker needs none")
    func badAuthorities() throws {
        let named = try #require(throws: InvalidConfiguration.self) { try settings("amqps://u:p@broker", authority: "/nonexistent") }
        #expect("\(named)" == "RABBITMQ_CA_FILE: /nonexistent cannot be read")
        let noCertificates = RepositoryRoot.path("Makefile")
        let inAddress = try #require(throws: InvalidConfiguration.self) { try settings("amqps://u:p@broker?cacertfile=\(noCertificates)") }
        #expect("\(inAddress)" == "RABBITMQ_URL: can't be used: its cacertfile holds no certificates in PEM")
        #expect(throws: Never.self) { try settings("amqp://u:p@broker", authority: "/nonexistent") }
    }

    @Test("the listing of settings shows that the address is set, and no more")
    func listing() throws {
        let listing = SettingListing(of: BrokerSettings.declared, environment: ["RABBITMQ_URL": "amqp://florin:\(Self.password)@broker"])
        #expect(listing.isAccepted && listing.json.contains("<set>") && !listing.json.contains(Self.password))
        var dumped = ""
        dump(try settings("amqp://florin:\(Self.password)@broker"), to: &dumped)
        #expect(!dumped.contains(Self.password))
    }
}
