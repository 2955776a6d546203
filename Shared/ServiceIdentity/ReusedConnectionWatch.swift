import NIOCore

/// What a request fails with when its connection, used before, closed before the first byte of an answer.
package struct ReusedConnectionClosed: Error {}

/// Tells a connection that was closed as it was used again from one that broke while the callee was at work.
///
/// A callee closes what has been idle for long; a request sent at that moment fails, and was almost certainly not seen. The pool reports both
/// alike, so this handler, on the bytes below HTTP, reports the one by an error of its own before the pool's.
final class ReusedConnectionWatch: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Nothing was received yet.
        case fresh
        /// Bytes of an answer were the last to go over the connection.
        case answered
        /// Bytes of a request were, after an answer to an earlier one.
        case askedAgain
    }

    private var state = State.fresh

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if state == .answered { state = .askedAgain }
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
