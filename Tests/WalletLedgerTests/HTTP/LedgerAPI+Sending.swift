import TestSupport
import Testing

extension LedgerAPI {
    /// Sends a request, and checks of its answer what is true of every answer.
    func send(_ call: SignedCall, bytes: [UInt8]? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws -> SignedAnswer {
        let answer = try await exchange(call, bytes: bytes)
        let faults = faults(of: answer, to: call)
        #expect(faults.isEmpty, "\(faults.joined(separator: "; "))", sourceLocation: sourceLocation)
        return answer
    }
}
