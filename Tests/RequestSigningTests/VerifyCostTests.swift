import Foundation
import HTTPTypes
import RequestSigning
import Testing

/// Only a measurement, in a release build: `FLORIN_MEASURE=1 swift test -c release --filter VerifyCostTests`.
@Suite("Cost", .enabled(if: ProcessInfo.processInfo.environment["FLORIN_MEASURE"] != nil, "set FLORIN_MEASURE to measure"))
struct VerifyCostTests {
    @Test("a request with a 700-byte token and a 200-byte body is verified in less than 25 µs")
    func verify() throws {
        let fixture = try SigningFixture(capacity: 1 << 20)
        let body = [UInt8](repeating: 0x61, count: 200)
        let requests = try (0..<20_000).map { index in
            var request = SigningFixture.request()
            request.headerFields[.authorization] = "Bearer " + String(repeating: "e", count: 700)
            try fixture.signer.sign(&request, body: body, created: SigningFixture.now, nonce: "nonce-0123456789abc\(index)")
            return request
        }
        let duration = try ContinuousClock().measure {
            for request in requests { _ = try fixture.check(request, body: body) }
        }
        let microseconds = duration / .microseconds(1) / Double(requests.count)
        print("verify: \(microseconds) µs per request")
        #expect(microseconds < 25)
    }
}
