import NIOCore
import NIOPosix

/// Something that listens where Redis should and answers everything with the same bytes.
final class GarbageServer: Sendable {
    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    private init(channel: any Channel) {
        self.channel = channel
    }

    /// Lends a server that says this for whatever it receives.
    static func with(_ answer: String, _ body: (GarbageServer) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Parrot(answer: answer)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = GarbageServer(channel: channel)
        do {
            try await body(server)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Parrot: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: String

        init(answer: String) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil)
        }
    }
}
