import NIOCore

/// Throws away what still comes on a connection that is about to be closed, before it costs parsing, and reads no more than a bound.
///
/// Closing at once would make the system reset the connection, and the client might never see the answer (RFC 9112, section 9.6).
final class BoundedDrain: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never

    private var left: Int
    private let onExcess: () -> Void

    /// - Parameter onExcess: Called once when more than the bound has come; nothing more is read then.
    init(bytes: Int, onExcess: @escaping () -> Void) {
        left = bytes
        self.onExcess = onExcess
    }

    /// Whoever reads behind this may have stopped long ago.
    func handlerAdded(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard left >= 0 else { return }
        left -= Self.unwrapInboundIn(data).readableBytes
        if left < 0 { onExcess() }
    }

    func channelReadComplete(context: ChannelHandlerContext) { read(context: context) }

    func read(context: ChannelHandlerContext) {
        if left >= 0 { context.read() }
    }
}
