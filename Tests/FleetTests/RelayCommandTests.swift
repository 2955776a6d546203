import Foundation
import TestSupport
import Testing

/// The relay's commands as an operator runs them.
@Suite("A relay's commands, from outside", .serialized)
struct RelayCommandTests {
    @Test("what can't be published is a dead letter, listed and, once the cause is fixed, replayed; nothing but the result is written to a file")
    func replay() async throws {
        try await EventFleet.with { fleet in
            try await fleet.write(1, keys: ["k"])
            try await fleet.park()
            let environment = try fleet.relay().environment
            func run(_ arguments: String...) throws -> (code: Int32, output: String) {
                try LedgerProcess.run(arguments, of: EventFleet.outboxRelay, environment: environment)
            }
            let list = try run("list-dead-letters", "--since", "1h", "--json")
            #expect(list.code == 0 && list.output.split(separator: "\n").count == 1, "\(list)")
            #expect(try run("list-dead-letters", "--since", "1s").output.hasSuffix("\n0 dead letters of wallet-ledger\n"))
            #expect(try run("replay-dead-letters", "--source", "nonsense").code == 64)
            let replay = try run("replay-dead-letters")
            #expect(replay.code == 0 && replay.output == "1 replayed, 0 failed, 0 claimed by another run, 0 too old, of 1\n", "\(replay)")
            #expect(try run("list-dead-letters").output.hasSuffix("\n0 dead letters of wallet-ledger\n"))
            #expect(try await fleet.collect(atLeast: 1).count == 1)
        }
    }
}
