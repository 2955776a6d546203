package import NIOCore

/// Requests made beforehand, each a piece of its own; what they post is told by its id.
package final class PreparedRequests: LoadWork {
    private let requests: [ByteBuffer]
    private let expectedStatus: Int
    private let transfersPerRequest: Int
    private var sent = 0
    private var transferIDs: [UInt8] = []

    package init(_ requests: [[UInt8]], expectedStatus: Int, transfersPerRequest: Int) {
        self.requests = requests.map { ByteBuffer(bytes: $0) }
        self.expectedStatus = expectedStatus
        self.transfersPerRequest = transfersPerRequest
        // Reserved now, so that nothing grows while it is measured.
        transferIDs.reserveCapacity(requests.count * transfersPerRequest * AnswerScanner.transferIDBytes)
    }

    package var isUsedUp: Bool { sent == requests.count }

    package func next() -> (piece: Int, request: ByteBuffer) {
        defer { sent += 1 }
        return (sent, requests[sent])
    }

    package func answered(_ piece: Int, status: Int, body: UnsafeRawBufferPointer) -> LoadProgress {
        guard status == expectedStatus else { return .failed }
        if transfersPerRequest > 1 {
            for start in AnswerScanner.transferIDs(in: body) { note(body, at: start) }
        } else if let start = AnswerScanner.transferID(in: body) {
            note(body, at: start)
        }
        return .done
    }

    package func report(to outcome: inout LoadOutcome) {
        outcome.transferIDs = transferIDs
    }

    private func note(_ body: UnsafeRawBufferPointer, at start: Int) {
        transferIDs.append(contentsOf: body[start..<(start + AnswerScanner.transferIDBytes)])
    }
}
