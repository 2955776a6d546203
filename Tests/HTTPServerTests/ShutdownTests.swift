import Foundation
import HTTPServer
import Hummingbird
import NIOCore
import Synchronization
import TestSupport
import Testing
import TransportSecurity

/// GW-29: a server that shuts down gives the answers that it owes, and ends in time whatever its clients do.
@Suite("Shutdown")
struct ShutdownTests {
    @Test("an idle connection ends, a busy one after its answer, which says so")
    func graceful() async throws {
        let (isBusy, goesOn) = (Gate(), AsyncStream.makeStream(of: Void.self))
        try await ToyServer.run { router in
            router.get("wait") { _, _ in
                isBusy.signal()
                for await _ in goesOn.stream { break }
                return "done."
            }
        } _: { server in
            let idle = try LoopbackSocket(port: server.port)
            #expect(try await eventually { server.connections == 1 })
            async let busy = server.everything(after: "GET /wait HTTP/1.1\r\nHost: h\r\n\r\nGET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await eventually { isBusy.isSet })
            await server.shutDown()
            #expect(try await eventually { server.connections == 1 })
            #expect(idle.receiveAll().isEmpty)
            goesOn.continuation.yield()
            let text = try await busy
            #expect(answers(in: text).count == 1 && text.lowercased().contains("connection: close") && text.hasSuffix("done."), "\(text)")
            #expect(server.limited("shutdown") == 0)
        }
    }

    @Test("a TLS handshake that does not end holds nothing up")
    func handshake() async throws {
        try await ToyServer.run(certificate: try await .ofTest()) { server in
            let socket = try LoopbackSocket(port: server.port)
            try socket.send("\u{16}\u{3}\u{1}\u{2}")
            #expect(try await eventually { server.connections == 1 })
            await server.shutDown()
            #expect(try await eventually { server.connections == 0 })
            #expect(server.limited("shutdown") == 0)
            socket.finishSending()
        }
    }

    @Test("what is not over in time is cut")
    func hard() async throws {
        let (isBusy, goesOn) = (Gate(), AsyncStream.makeStream(of: Void.self))
        try await ToyServer.run(TimeTests.limits { $0.shutdownTime = .milliseconds(200) }) { router in
            router.get("wait") { _, _ in
                isBusy.signal()
                for await _ in goesOn.stream { break }
                return "done."
            }
        } _: { server in
            async let busy = server.everything(after: "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await eventually { isBusy.isSet })
            await server.shutDown()
            let text = try await busy
            #expect(text.isEmpty)
            #expect(server.limited("shutdown") == 1)
            #expect(try await eventually { server.connections == 0 })
            goesOn.continuation.yield()
        }
    }

    @Test("a body that is cut at the end is no shorter body")
    func cutBody() async throws {
        let outcome = Mutex<String?>(nil)
        try await ToyServer.run(TimeTests.limits { $0.shutdownTime = .milliseconds(200) }) { router in
            router.post("upload") { request, _ in
                do {
                    let count = try await request.body.collect(upTo: 1_000).readableBytes
                    outcome.withLock { $0 = "\(count) bytes" }
                } catch {
                    outcome.withLock { $0 = "\(error)" }
                }
                return "done."
            }
        } _: { server in
            let socket = try LoopbackSocket(port: server.port)
            try socket.send("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\nhalf of the body....")
            #expect(try await eventually { server.connections == 1 })
            await server.shutDown()
            #expect(try await eventually { outcome.withLock { $0 != nil } })
            #expect(outcome.withLock { $0 } == "\(BodyFault.cutOff)")
            socket.finishSending()
        }
    }

    @Test("a server's own time to end is the smaller one")
    func time() {
        #expect(ServerLimits.api.ending(within: .seconds(10)).shutdownTime == .seconds(8))
        #expect(ServerLimits.admin.ending(within: .seconds(25)).shutdownTime == .seconds(2))
    }
}
