import Contracts
import TestSupport
import Testing

/// That a status is documented is checked with every answer that the suites of this folder see; here the routes.
@Suite struct HTTPDocumentTests {
    @Test func theRoutersRoutesAndTheDocumentsAreTheSameSet() async throws {
        let api = try await LedgerAPI.shared()
        #expect(Set(api.routes) == Set(api.documented.statuses.keys))
    }

    @Test func everyRouteDocumentsWhatAnyRequestMayGet() async throws {
        let api = try await LedgerAPI.shared()
        for (route, statuses) in api.documented.statuses {
            #expect(statuses.isSuperset(of: [401, 403, 503]), "\(route) lacks \(Set([401, 403, 503]).subtracting(statuses).sorted())")
        }
    }
}
