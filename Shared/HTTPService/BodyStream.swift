import Contracts
import HTTPServer
import HTTPTypes
import Hummingbird
package import NIOCore

/// A body as it comes in, up to the endpoint's limit; it can be read once.
package struct BodyStream: AsyncSequence, Sendable {
    let source: RequestBody
    let limit: Int

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: source.makeAsyncIterator(), remaining: limit)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var source: RequestBody.AsyncIterator
        var remaining: Int

        /// - Throws: ``Problem`` `body_too_large`, or `malformed_request` for a body that ends early.
        package mutating func next() async throws -> ByteBuffer? {
            let part: ByteBuffer?
            do {
                part = try await source.next()
            } catch {
                throw Problem(brokenBody: error)
            }
            guard let part else { return nil }
            remaining -= part.readableBytes
            guard remaining >= 0 else { throw Problem(.bodyTooLarge) }
            return part
        }
    }
}

extension Request {
    /// The whole body. One that says that it is too long is not waited for.
    ///
    /// - Throws: ``Problem``; see ``BodyStream/AsyncIterator/next()``.
    func read(upTo limit: Int) async throws -> ByteBuffer {
        try checkLength(upTo: limit)
        do {
            return try await body.collect(upTo: limit)
        } catch {
            throw Problem(brokenBody: error)
        }
    }

    /// - Throws: ``Problem`` `body_too_large` where the head says so already.
    func checkLength(upTo limit: Int) throws(Problem) {
        // The decoder has refused what is no number.
        // One that is beyond every number is too large as well.
        if let length = headers[.contentLength], Int(length).map({ $0 > limit }) ?? true { throw Problem(.bodyTooLarge) }
    }
}

extension Problem {
    fileprivate init(brokenBody error: any Error) {
        switch error {
        case is NIOTooManyBytesError: self.init(.bodyTooLarge)
        case let error as any HTTPResponseError where error.status == .contentTooLarge: self.init(.bodyTooLarge)
        case is CancellationError: self.init(.unavailable)
        case BodyFault.tooSlow: self.init(.requestTimeout)
        // Broken off, garbled or cut by the network: nobody's fault on this side, and often nobody is left to read the answer.
        default: self.init(.malformedRequest, detail: "The body is incomplete or unreadable.")
        }
    }
}
