import Fleet
import Testing

/// What follows from an entry of the table, of services that aren't there.
@Suite("The fleet's table: what follows")
struct FleetExportTests {
    private static let consumer = FleetService(name: "mail-room", adminPort: 9_999, consumes: ["ledger.*.v1", "risk.#", "ledger.hold.*.v2"])

    @Test("a consumer may use its own queues and bind to the areas that it consumes, once each")
    func consumer() throws {
        let permissions = BrokerPermissions.consumer(Self.consumer)
        #expect(permissions.topic?.read == #"^(ledger|risk)\."# && permissions.topic?.write == "^$")
        for (name, isOwn) in [("mail-room", true), ("mail-room.retry.5s", true), ("mail-rooms", false), ("ops-risk", false), ("florin.dead", false)] {
            #expect((try Regex(permissions.configure).firstMatch(in: name) != nil) == isOwn, "\(name)")
        }
        #expect(FleetService.relayUser(of: "mail-room") == "mail-room-relay")
        #expect(Self.consumer.redisUser == nil && Self.consumer.isConsumer)
    }

    @Test("what a service does not have is a dash, and a tab stands between columns")
    func table() {
        let lines = Fleet.table.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        #expect(lines.dropFirst().allSatisfy { $0.count == 9 && !$0.contains("") })
        #expect(lines.first { $0[0] == "wallet-ledger" }?[6] == "-")
    }
}
