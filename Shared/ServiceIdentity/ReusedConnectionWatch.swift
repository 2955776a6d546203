import NIOCore
import NIOHTTP1

/// What a request fails with when its connection, used before, closed before the first byte of an answer.
package struct ReusedConnectionClosed: Error {}

/// Tells a connection that was closed as it was used again from one that broke while the callee was at work.
///
/// A callee closes what has been idle for long; a request sent at that moment fails, and was almost certainly not seen. The pool reports both
/// alike, so this handler, which sees requests as such and answers as bytes, reports the one by an error of its own before the pool's.
final class ReusedConnectionWatch: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private enum State {
        /// Nothing was received yet.
        case fresh
        /// Bytes of an answer were the last to go over the connection.
        case answered
        /// The head of a request has, after the answer to an earlier one. Further parts of that request, whose answer may have begun
        /// before its end, do not count.
        case askedAgain
    }

    private var state = State.fresh

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if state == .answered, case .head = Self.unwrapOutboundIn(data) { state = .askedAgain }
        context.write(data, promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        state = .answered
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(state == .askedAgain ? ReusedConnectionClosed() : error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if state == .askedAgain { context.fireErrorCaught(ReusedConnectionClosed()) }
        context.fireChannelInactive()
    }
}
