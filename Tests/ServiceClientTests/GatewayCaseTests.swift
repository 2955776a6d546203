import Foundation
import NIOHTTP1
import ServiceIdentity
import TestSupport
import Testing

@testable import ServiceClient

/// Cases of gateway.md about calls to another service; GW-17 and GW-18 are also explored, see ``CircuitBreakerTests`` and ``BulkheadTests``.
@Suite("Cases GW-15 to GW-19: calls to another service", .timeLimit(.minutes(2)))
struct GatewayCaseTests {
    let fixture: ClientFixture

    init() throws { fixture = try ClientFixture() }

    private func withConnections(
        connectTimeout: Duration = .seconds(20), _ body: (ServiceConnections) async throws -> Void
    ) async throws {
        let connections = ServiceConnections(connectTimeout: connectTimeout)
        do {
            try await body(connections)
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
    }

    private func withClient(
        _ script: [ScriptedServer.Step], tryTimeout: Duration = .seconds(60), admission: CalleeAdmission = CalleeAdmission(limit: 8),
        _ body: (_ server: ScriptedServer, _ client: ServiceClient) async throws -> Void
    ) async throws {
        try await withConnections { connections in
            try await ScriptedServer.running(script) { server, port in
                try await body(server, try fixture.client(port: port, connections: connections, tryTimeout: tryTimeout, admission: admission))
            }
        }
    }

    private func kind(_ client: ServiceClient, _ request: ServiceRequest) async throws -> ServiceClientError.Kind? {
        do throws(ServiceClientError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test(
        "GW-15: a connection that closes as it is used again costs nobody an answer: GET and keyed POST are sent once more, signed anew",
        arguments: ["GET", "POST"])
    func staleConnection(method: String) async throws {
        try await withClient([.answer(200), .drop, .answer(201)]) { server, client in
            #expect(try await client.send(ClientFixture.get()).status == 200)
            let request = method == "GET" ? ClientFixture.get() : ClientFixture.post()
            #expect(try await client.send(request).status == 201)
            let received = server.received
            #expect(received.count == 3)
            #expect(received[1].headers["idempotency-key"] == received[2].headers["idempotency-key"])
            #expect(received[1].headers["signature-input"] != received[2].headers["signature-input"])
            for request in received { try await fixture.check(request) }
        }
    }

    @Test("GW-15: a keyed POST is sent once more, not twice; one without a key never")
    func staleConnectionTwice() async throws {
        try await withClient([.answer(200), .drop, .drop, .answer(201)]) { server, client in
            _ = try await client.send(ClientFixture.get())
            #expect(try await kind(client, ClientFixture.post()) == .connectionLost)
            #expect(server.received.count == 3)
        }
        try await withClient([.answer(200), .drop, .answer(201)]) { server, client in
            _ = try await client.send(ClientFixture.get())
            do throws(ServiceClientError) {
                let answer = try await client.send(ClientFixture.post(key: nil))
                Issue.record("answered \(answer.status)")
            } catch {
                #expect(error.kind == .connectionLost && error.mayHaveTakenEffect)
            }
            #expect(server.received.count == 2)
        }
    }

    @Test("GW-15: a connection is dropped from the pool long before the callee drops it")
    func idleTimes() {
        #expect(FleetHTTPClient.idleTimeout * 2 < .seconds(75))
    }

    @Test("GW-16: an answer whose body never ends is given up in time, and counts", arguments: [ScriptedServer.Step.stall, .trickle])
    func bodyUnderDeadline(step: ScriptedServer.Step) async throws {
        var settings = CircuitBreakerSettings(fullConcurrency: 8)
        (settings.openTimeStep, settings.maximumOpenTime) = (.seconds(600), .seconds(600))
        let admission = CalleeAdmission(limit: 8, breaker: settings)
        try await withClient(Array(repeating: step, count: 8), tryTimeout: .milliseconds(300), admission: admission) { server, client in
            for _ in 0..<settings.consecutiveTransportFaults {
                let kind = try await kind(client, ClientFixture.post())
                #expect(kind == .timedOut)
            }
            #expect(admission.statistics.circuit == .open)
            #expect(try await kind(client, ClientFixture.get()) == .circuitOpen)
            #expect(server.received.allSatisfy { $0.method == "POST" })
        }
    }

    @Test("GW-16: an answer whose body never ends is given up at the deadline; callers in a hurry don't open the circuit for everybody")
    func hurried() async throws {
        let admission = CalleeAdmission(limit: 8)
        try await withClient(Array(repeating: .trickle, count: 12), admission: admission) { _, client in
            for _ in 0..<12 {
                let kind = try await kind(client, ClientFixture.post(deadline: .milliseconds(50)))
                #expect(kind == .deadlineExceeded)
            }
            #expect(admission.statistics.circuit == .closed && admission.statistics.underWay == 0)
        }
    }

    @Test("GW-19: what a callee said or may have done stands when a retry reaches nobody", arguments: [true, false])
    func retryReachesNobody(isAnswered: Bool) async throws {
        let listener = try LoopbackListener()
        Thread.detachNewThread {
            guard let client = listener.accept() else { return }
            // Whoever comes again finds nobody.
            listener.stop()
            var request = [UInt8](repeating: 0, count: 4_096)
            _ = read(client, &request, request.count)
            let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            if isAnswered { _ = answer.withCString { write(client, $0, strlen($0)) } }
            close(client)
        }
        try await withConnections { connections in
            let client = try fixture.client(port: listener.port, connections: connections)
            do throws(ServiceClientError) {
                let status = try await client.send(ClientFixture.get()).status
                #expect(isAnswered && status == 503)
            } catch {
                #expect(!isAnswered && error.kind == .connectionLost && error.mayHaveTakenEffect && error.tries > 1, "\(error)")
            }
        }
    }

    @Test("GW-16: a port that nobody listens on is noticed at once, not after the time for connecting, and counts")
    func closedPort() async throws {
        try await withConnections(connectTimeout: .seconds(60)) { connections in
            let admission = CalleeAdmission(limit: 8)
            let client = try fixture.client(port: try FreePort.any(), connections: connections, admission: admission)
            for _ in 0..<2 { #expect(try await kind(client, ClientFixture.get(deadline: .seconds(50))) == .unreachable) }
            #expect(admission.statistics.circuit == .open)
        }
    }

    @Test("GW-16: a redirect to another host is an answer like any other: nothing goes there")
    func redirect() async throws {
        try await ScriptedServer.running([.answer(200)]) { elsewhere, otherPort in
            let redirect = ScriptedServer.Step.answer(302, headers: [("location", "http://127.0.0.1:\(otherPort)/")])
            try await withClient([redirect, redirect]) { server, client in
                let answers = [try await client.send(ClientFixture.get()), try await client.send(ClientFixture.post())]
                #expect(answers.map(\.status) == [302, 302])
                #expect(server.received.count == 2)
            }
            #expect(elsewhere.received.isEmpty)
        }
    }

    @Test("GW-17: no probe keeps others out: neither a 404 nor a caller that went away, nor one that went away before it was sent")
    func neutralProbes() async throws {
        var settings = CircuitBreakerSettings(fullConcurrency: 8)
        settings.openTimeStep = .zero
        let admission = CalleeAdmission(limit: 8, breaker: settings)
        let script: [ScriptedServer.Step] =
            Array(repeating: .drop, count: settings.consecutiveTransportFaults) + [.answer(404), .hang] + Array(repeating: .answer(200), count: 3)
        try await withClient(script, admission: admission) { server, client in
            for _ in 0..<settings.consecutiveTransportFaults { _ = try await kind(client, ClientFixture.post(key: nil)) }
            #expect(admission.statistics.circuit == .open)
            #expect(try await client.send(ClientFixture.get()).status == 404)
            #expect(admission.statistics.circuit == .halfOpen)
            let caller = Task { try await kind(client, ClientFixture.get()) }
            #expect(try await eventually { server.received.count == settings.consecutiveTransportFaults + 2 })
            caller.cancel()
            #expect(try await caller.value == .cancelled)
            let early = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await kind(client, ClientFixture.get())
            }
            early.cancel()
            #expect(try await early.value == .cancelled)
            for _ in 0..<settings.probes { #expect(try await client.send(ClientFixture.get()).status == 200) }
            #expect(admission.statistics.circuit == .closed)
        }
    }

    @Test("GW-18: a hundred callers that give up beside eight slow calls leave eight free permits, and the callee saw eight requests")
    func abandonedWaits() async throws {
        let admission = CalleeAdmission(limit: 8)
        let script: [ScriptedServer.Step] = Array(repeating: .hang, count: 8) + Array(repeating: .answer(200), count: 8)
        try await withClient(script, admission: admission) { server, client in
            try await withThrowingTaskGroup(of: ServiceClientError.Kind?.self) { group in
                var slow: [Task<ServiceClientError.Kind?, any Error>] = []
                for _ in 0..<8 { slow.append(Task { try await kind(client, ClientFixture.post()) }) }
                #expect(try await eventually { server.received.count == 8 })
                for index in 0..<100 {
                    // Some by their deadline, some because their own caller goes away.
                    group.addTask {
                        guard index.isMultiple(of: 2) else { return try await kind(client, ClientFixture.post(deadline: .milliseconds(50))) }
                        let isAnswered = Gate()
                        let task = Task {
                            defer { isAnswered.signal() }
                            return try await kind(client, ClientFixture.post())
                        }
                        _ = try await eventually { admission.statistics.waiting > 0 || isAnswered.isSet }
                        task.cancel()
                        return try await task.value
                    }
                }
                var kinds: [ServiceClientError.Kind?] = []
                for try await kind in group { kinds.append(kind) }
                #expect(kinds.count == 100 && kinds.allSatisfy { $0 == .tooManyCalls || $0 == .cancelled })
                #expect(server.received.count == 8)
                #expect(admission.statistics.underWay == 8 && admission.statistics.waiting == 0)
                for task in slow { task.cancel() }
                for task in slow { _ = try await task.value }
            }
            #expect(admission.statistics.underWay == 0)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await client.send(ClientFixture.get()).status } }
                for try await status in group { #expect(status == 200) }
            }
        }
    }

    @Test("GW-18: a turn that comes is taken: sixteen calls over eight permits are all answered")
    func turns() async throws {
        let admission = CalleeAdmission(limit: 8)
        try await withClient(Array(repeating: .answer(200), count: 16), admission: admission) { server, client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 { group.addTask { try await client.send(ClientFixture.get()).status } }
                for try await status in group { #expect(status == 200) }
            }
            #expect(server.received.count == 16)
            #expect(admission.statistics.underWay == 0 && admission.statistics.waiting == 0)
        }
    }

    @Test("GW-19: where no retry is allowed the callee's own answer stands", arguments: [500, 503])
    func ownAnswer(status: Int) async throws {
        let body = #"{"code":"unavailable"}"#
        try await withClient([.answer(status, body: body), .answer(201)]) { server, client in
            let answer = try await client.send(ClientFixture.post(key: nil))
            #expect(answer.status == status && answer.body == Array(body.utf8))
            #expect(server.received.count == 1)
        }
    }

    @Test("a retry beyond the budget is not made: the first answer stands, and it is counted")
    func budget() async throws {
        let admission = CalleeAdmission(limit: 8)
        try await withClient(Array(repeating: .answer(503), count: 30), admission: admission) { server, client in
            let spender = Spender()
            let spenders = (0..<RetryBudget.defaultFloor).map { _ in Task { await admission.withRetry { await spender.hold() } } }
            let isSpent = try await eventually { admission.statistics.retries == RetryBudget.defaultFloor }
            #expect(isSpent)
            let first = try await client.send(ClientFixture.get())
            #expect(first.status == 503)
            #expect(server.received.count == 1)
            #expect(admission.statistics.totalRefusedRetries == 1)
            for task in spenders { task.cancel() }
            for task in spenders { _ = await task.value }
            let second = try await client.send(ClientFixture.get())
            #expect(second.status == 503)
            #expect(server.received.count == 1 + RetryPolicy.maximumTries)
            #expect(admission.statistics.retries == 0)
        }
    }

    /// Holds a retry until its task is cancelled.
    private struct Spender: Sendable {
        func hold() async -> Bool? {
            await untilCancelled()
            return nil
        }
    }
}
