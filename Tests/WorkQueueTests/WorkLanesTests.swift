import Observability
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@testable import WorkQueue

@Suite("Lanes that work a queue off")
struct WorkLanesTests {
    @Test("two processes of four lanes do each of 200 pieces once, and note where each went")
    func twoProcesses() async throws {
        let fixture = try await WorkFixture(processes: 2)
        let queue = WorkFixture.queue()
        try await fixture.add(queue, 200)
        let record = CallRecord()
        let perform: WorkLanes.Perform = { claim in
            record.note(claim.id)
            return .done
        }
        try await fixture.running([fixture.lanes(queue, process: 0, perform: perform), fixture.lanes(queue, process: 1, perform: perform)]) {
            try await until { try await fixture.states() == [.done: 200] }
        }
        #expect(record.counts.count == 200 && record.total == 200)
        let noted = try await fixture.pool.withSession { session in
            try session.query("SELECT count(*) FROM pieces WHERE last_state = 'done'")[0].decode(Int64.self)
        }
        #expect(noted == 200)
    }

    @Test("work that fails for now is done again until it succeeds or its attempts are used up; what is refused or unknown is left alone")
    func outcomes() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(attempts: 3)
        let ids = try await fixture.add(queue, 5)
        let record = CallRecord()
        let registry = PrometheusRegistry()
        let lanes = fixture.lanes(queue, metrics: registry) { claim in
            record.note(claim.id)
            switch claim.id {
            case ids[0]: return claim.attempt < 3 ? .again("451") : .done
            case ids[1]: return .again("451")
            case ids[2]: return .refused("550")
            case ids[3]: return .unknown("silence")
            default: return .poison("unreadable")
            }
        }
        try await fixture.running([lanes]) {
            try await until { try await fixture.states() == [.done: 1, .dead: 3, .unknown: 1] }
        }
        #expect(record.counts == [ids[0]: 3, ids[1]: 3, ids[2]: 1, ids[3]: 1, ids[4]: 1])
        #expect(registry.render().contains("work_attempts_total{outcome=\"again\",queue=\"pieces\"} 4"))
        #expect(registry.render().contains("work_attempts_total{outcome=\"unknown\",queue=\"pieces\"} 1"))
    }

    @Test("at a graceful shutdown what is in hand is finished and written down, and nothing else is claimed")
    func shutdown() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        try await fixture.add(queue, 3)
        let started = Gate()
        let lanes = fixture.lanes(queue, lanes: 1) { _ in
            started.signal()
            // The work goes on only once the lanes have been asked to stop.
            _ = try? await eventually { Task.isShuttingDownGracefully }
            return .done
        }
        try await fixture.running([lanes]) { try await until { started.isSet } }
        #expect(try await fixture.states() == [.done: 1, .waiting: 2])
    }

    @Test("a process that dies with work in hand leaves it unknown: nobody does it again, and nothing else is lost")
    func killed() async throws {
        let fixture = try await WorkFixture(processes: 2)
        let queue = WorkFixture.queue(lease: .seconds(2))
        let ids = try await fixture.add(queue, 6)
        let record = CallRecord()
        let dying = Task {
            // Its calls never end, and it is gone before it could write anything down.
            try await fixture.lanes(queue, process: 0, lanes: 2) { claim in
                record.note(claim.id)
                await untilCancelled()
                return .unknown("cut off")
            }.run()
        }
        #expect(try await eventually { record.total == 2 })
        await fixture.pools[0].close()
        dying.cancel()
        _ = await dying.result
        let survivor = fixture.lanes(queue, process: 1) { claim in
            record.note(claim.id)
            return .done
        }
        try await fixture.running([survivor]) {
            try await until {
                _ = try await fixture.pools[1].withTransaction { session in try queue.sweep(session, atMost: 100) }
                let ended = try await fixture.pools[1].withSession { session in
                    try session.query("SELECT count(*) FROM work_items WHERE state IN ('done', 'unknown')")[0].decode(Int64.self)
                }
                return ended == 6
            }
        }
        #expect(record.counts.count == 6 && record.total == 6)
        let unknown = try await fixture.pools[1].withSession { session in
            try session.query("SELECT id FROM work_items WHERE state = 'unknown' ORDER BY id").map { try $0.decode(Int64.self) }
        }
        #expect(unknown.count == 2 && Set(unknown).isSubset(of: ids))
    }

    @Test("while the database can't be reached nothing is claimed, and an outcome is written down once it is back")
    func outage() async throws {
        try await PostgresServer.withSeparate { server in
            let database = try await server.makeDatabase(
                service: "audit-export",
                migrations: [
                    MigrationFolder(namespace: "workqueue", path: RepositoryRoot.path("migrations/shared/workqueue")),
                    MigrationFolder(namespace: "audit-export", path: RepositoryRoot.path("Tests/WorkQueueTests/migrations")),
                ])
            let pool = PostgresPool(
                configuration: try PostgresConfiguration(url: database.servingURL),
                options: PoolOptions(maximumConnections: 4, acquireTimeout: .seconds(30)))
            let fixture = WorkFixture(database: database, pools: [pool])
            let queue = WorkFixture.queue()
            let id = try await fixture.add(queue)[0]
            let (started, finish) = (Gate(), Gate())
            let record = CallRecord()
            let lanes = fixture.lanes(queue, lanes: 1) { claim in
                record.note(claim.id)
                started.signal()
                _ = try? await eventually { finish.isSet }
                return .done
            }
            try await fixture.running([lanes]) {
                try await until { started.isSet }
                try await server.stop(.immediate)
                finish.signal()
                try await server.start()
                try await until { try await fixture.state(id) == .done }
            }
            #expect(record.total == 1)
        }
    }
}
