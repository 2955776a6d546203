import NIOCore
import NIOSSL

/// Hands what a channel receives to its connection.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: RedisConnection
    private var decoder = RESPDecoder()

    init(connection: RedisConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes behind a fault can't be told apart any more.
        guard connection.isOpen else { return }
        var bytes = unwrapInboundIn(data)
        decoder.append(&bytes)
        var values: [RedisValue] = []
        var fault: RESPFault?
        do throws(RESPFault) {
            while let value = try decoder.next() { values.append(value) }
        } catch {
            fault = error
        }
        if !values.isEmpty { connection.received(values) }
        if let fault { connection.close(.malformedReply(fault)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.close(.connectionLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isOfTLS = error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
        connection.close(isOfTLS ? .connectFailed(RedisConnectFailure.reason(of: error)) : .connectionLost)
    }
}
