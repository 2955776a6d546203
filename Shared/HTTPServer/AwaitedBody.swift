import HummingbirdCore
import NIOCore

/// Tells the connection that somebody has begun to read the body, so that a client that waits for `100 Continue` may send it.
struct BodyWanted: Sendable {}

/// A body whose sender waits to be asked for it: a request that is refused by its head is refused without it.
struct AwaitedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let body: RequestBody
    let channel: any Channel

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var bytes: RequestBody.AsyncIterator
        fileprivate var channel: (any Channel)?

        mutating func next() async throws -> ByteBuffer? {
            if let channel {
                channel.triggerUserOutboundEvent(BodyWanted(), promise: nil)
                self.channel = nil
            }
            return try await bytes.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: body.makeAsyncIterator(), channel: channel) }
}
