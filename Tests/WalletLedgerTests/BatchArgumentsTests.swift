import Foundation
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// The functions that write a batch, and the arguments that the service passes them by their place.
@Suite("Arguments of a batch", .onEachDatabasePath)
struct BatchArgumentsTests {
    @Test("each argument has the name and the type of the function's parameter at its place", arguments: BatchColumns.Function.allCases)
    func parameters(function: BatchColumns.Function) async throws {
        let fixture = try await MoneyFixture()
        let arguments = BatchColumns().arguments(of: function, clock: PostgresTimestamp(microsecondsSinceUnixEpoch: 0))
        // Of the functions of earlier releases too.
        let overloads = try await fixture.pool.withSession { session in
            try session.query(
                """
                SELECT proargnames, ARRAY(SELECT type::int8 FROM unnest(proargtypes) WITH ORDINALITY AS p (type, place) ORDER BY place)
                FROM pg_proc WHERE proname = \(function.rawValue) AND pronamespace = 'public'::regnamespace
                """
            ).map { try $0.decode([String].self, [Int64].self) }
        }
        let types = arguments.binds.map { Int64($0.type) }
        #expect(overloads.count { $0.0 == arguments.names && $0.1 == types } == 1, "\(arguments.names)")
    }

    @Test("what is held, and the key of an atomic batch, need the function that has parameters for them")
    func function() {
        var columns = BatchColumns()
        columns.keys.subjectVersions = [nil, nil]
        #expect(columns.function == .writeBatch)
        columns.keys.subjectVersions = [nil, 3]
        #expect(columns.function == .postBatch)
        columns.keys.subjectVersions = []
        columns.holds.ids = [UUID()]
        #expect(columns.function == .postBatch)
    }
}
