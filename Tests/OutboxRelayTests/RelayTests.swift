import Outbox
import TestSupport
import Testing

@testable import OutboxRelay

/// Against a real Postgres and a real broker, one test at a time: some of them stop it.
@Suite(.serialized) struct RelayTests {
    let fixture: RelayFixture

    init() async throws { fixture = try await RelayFixture() }

    private func keys(_ count: Int) -> [String] { (0..<count).map { "key-\($0)" } }

    @Test("every event arrives once and in the order of its key, and all are marked")
    func publishes() async throws {
        try await fixture.declare()
        let keys = keys(20)
        try await fixture.running([fixture.relay("a")]) {
            async let written: Void = fixture.write(perKey: 30, keys: keys)
            let received = try await fixture.collect { $0.firsts.count >= 600 }
            try await written
            #expect(received.count == 600)
            for key in keys { #expect(received.byKey[key] == Array(0..<30)) }
            #expect(try await eventually { try await fixture.isAllMarked() })
        }
    }

    @Test("of two relays each leases half; one that dies is replaced, in order and without loss")
    func twoRelays() async throws {
        try await fixture.declare()
        let keys = keys(16)
        let second = try fixture.relay("b")
        try await fixture.running([fixture.relay("a")]) {
            // One consumer throughout: what one that ends leaves unsettled, the broker delivers again behind what is ready.
            let all = try await fixture.collecting(heartbeat: 30) { collected in
                try await fixture.running([second]) {
                    #expect(try await eventually { second.keeper.current.leases.count == 32 })
                    async let written: Void = fixture.write(perKey: 20, keys: keys)
                    #expect(try await eventually(within: .seconds(30)) { collected.all.firsts.count >= 200 })
                    try await written
                }
                try await fixture.write(perKey: 10, keys: keys, from: 20)
                #expect(try await eventually(within: .seconds(30)) { collected.all.firsts.count >= 480 })
                return collected.all
            }
            #expect(all.allSatisfy { !$0.isRedelivered })
            for key in keys { #expect(all.byKey[key] == Array(0..<30), "\(key)") }
        }
    }
}
