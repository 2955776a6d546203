import AsyncHTTPClient
import HTTPService
import TestSupport
import Testing

@Suite("Fetching the key set", .timeLimit(.minutes(1)))
struct KeySetFetchTests {
    @Test("an issuer that answers nothing, or half of it, is given up in time")
    func stalls() async throws {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        try await ScriptedServer.running([.answer(200, body: "{}"), .hang, .stall]) { server, port in
            let address = "http://127.0.0.1:\(port)/keys"
            let bytes = try await KeySetFetch(address, client: client, authorities: nil)()
            #expect(bytes == Array("{}".utf8))
            for _ in 0..<2 {
                await #expect(throws: (any Error).self) {
                    try await KeySetFetch(address, client: client, authorities: nil, limit: .milliseconds(200))()
                }
            }
            #expect(server.received.count == 3)
        }
        try await client.shutdown()
    }
}
