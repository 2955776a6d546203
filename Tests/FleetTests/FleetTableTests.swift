import Contracts
import EventBroker
import Fleet
import Foundation
import TestSupport
import Testing

/// The table is one place; each test names what a service lacks elsewhere.
@Suite("The fleet's table")
struct FleetTableTests {
    private static func text(_ path: String) throws -> String { try String(contentsOfFile: RepositoryRoot.path(path), encoding: .utf8) }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: RepositoryRoot.path(path)) }

    /// `ops-risk` is the module OpsRisk.
    private static func module(_ executable: String) -> String { executable.split(separator: "-").map(\.capitalized).joined() }

    @Test("infra/fleet.tsv is its export: fleetctl fleet table > infra/fleet.tsv")
    func export() throws {
        #expect(try Self.text("infra/fleet.tsv") == Fleet.table)
    }

    @Test("the broker's permissions follow from it: fleetctl fleet permissions > k8s/components/rabbitmq/permissions.json")
    func permissions() throws {
        #expect(try Self.text("k8s/components/rabbitmq/permissions.json") == Fleet.permissionsFile)
        // What make run imports is the same file, by a link.
        #expect(try Self.text("infra/rabbitmq/permissions.json") == Fleet.permissionsFile)
    }

    @Test("every service has what belongs to it", arguments: Fleet.services)
    func parts(_ service: FleetService) throws {
        let (name, module) = (service.name, Self.module(service.name))
        var paths = ["Services/\(module)/README.md", "Tests/\(module)Tests", "k8s/base/\(name)/facts.yaml"]
        if service.database != nil { paths.append("migrations/\(name)") }
        if service.api != nil { paths.append("Shared/Contracts/OpenAPI/\(name).json") }
        var lacks = paths.filter { !Self.exists($0) }
        let base = "k8s/base/\(name)/kustomization.yaml"
        var mentions = [
            ("README.md", "Services/\(module)/README.md"),
            ("k8s/base/kustomization.yaml", "  - \(name)\n"), ("k8s/base/kustomization.yaml", "- name: florin/\(name)\n"),
        ]
        if service.isConsumer { mentions.append((base, "../../components/consumer\n")) }
        if service.outbox != nil { mentions.append((base, "../../components/outbox\n")) }
        // A long line of the manifest is broken after the parenthesis.
        if try !Self.text("Package.swift").replacing(/service\(\s+/, with: "service(").contains("service(\"\(name)\"") {
            lacks.append("a line in Package.swift")
        }
        for (file, mention) in mentions where try !Self.text(file).contains(mention) { lacks.append("\(mention) in \(file)") }
        #expect(lacks.isEmpty, "\(name) lacks \(lacks.joined(separator: ", "))")
    }

    @Test("every executable of the package is in it")
    func executables() throws {
        let manifest = try Self.text("Package.swift")
        let products = manifest.matches(of: /(?m)^service\(\s*"([a-z-]+)"/).map { String($0.1) }
        #expect(Set(products) == Set(Fleet.executables))
        let folders = try FileManager.default.contentsOfDirectory(atPath: RepositoryRoot.path("Services"))
        #expect(Set(folders) == Set(Fleet.executables.map(Self.module)))
    }

    @Test("no two services have a name, a port, a variable or an area of events in common, and what is here is planned no longer")
    func unique() {
        let services = Fleet.services
        let ports = services.flatMap { [$0.adminPort, $0.api?.port, $0.outbox?.relayAdminPort].compactMap(\.self) }
        let databases = services.compactMap(\.database)
        let variables = databases.map(\.variable) + databases.compactMap(\.replicaVariable) + Fleet.planned.values
        for values in [Fleet.executables + Fleet.planned.keys, ports.map(String.init), variables, services.compactMap(\.outbox?.area)] {
            #expect(Set(values).count == values.count, "\(values)")
        }
    }

    @Test("a caller is of the fleet or planned")
    func callers() {
        let known = Set(Fleet.executables).union(Fleet.planned.keys)
        for call in Fleet.calls { #expect(known.contains(call.caller) && call.caller != call.callee, "\(call)") }
    }

    @Test("who publishes has an outbox with the area of its events, and nobody has one without events")
    func producers() {
        let published = Set(EventCatalogue.entries.map { "\($0.producer) \($0.area)" })
        #expect(published == Set(Fleet.sources.map { "\($0.name) \($0.outbox?.area ?? "")" }))
    }

    @Test("what is consumed is published", arguments: Fleet.consumers)
    func consumed(_ service: FleetService) {
        for pattern in service.consumes {
            #expect(EventCatalogue.entries.contains { EventConsumerQueue.matches(pattern, $0.type) }, "\(service.name): \(pattern)")
        }
    }
}
