package import NIOCore

/// The same requests over and over, in turn.
package final class RepeatedRequests: LoadWork {
    private static let okStatus = 200

    private let requests: [ByteBuffer]
    private let expected: [UInt8]
    private var turn = 0

    /// - Parameter expected: What every answer must hold.
    package init(_ requests: [ByteBuffer], expecting expected: String) {
        self.requests = requests
        self.expected = Array(expected.utf8)
    }

    package var isUsedUp: Bool { requests.isEmpty }

    package func next() -> (piece: Int, request: ByteBuffer) {
        defer { turn = (turn + 1) % requests.count }
        return (turn, requests[turn])
    }

    package func answered(_ piece: Int, status: Int, body: UnsafeRawBufferPointer) -> LoadProgress {
        status == Self.okStatus && body.end(of: expected) != nil ? .done : .failed
    }

    package func report(to outcome: inout LoadOutcome) {}
}
