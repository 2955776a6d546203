import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

/// The other implementation: PyPI's `jsonschema`, in a virtual environment of its own.
enum SchemaCheck {
    struct Verdict: Decodable {
        /// Why an event is refused; nil when it is accepted.
        let open: String?
        /// The same with every member forbidden that no schema describes.
        let closed: String?
    }

    struct Answer: Decodable {
        let document: [String]
        let events: [Verdict]
    }

    private static let folder = RepositoryRoot.path("Tests/ContractsTests/crosscheck")

    static func ask(_ events: [[UInt8]]) async throws -> Answer {
        try await install()
        let folder = FileManager.default.temporaryDirectory.appending(path: "florin-events-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (question, answer) = (folder.appending(path: "question.json"), folder.appending(path: "answer.json"))
        try JSONEncoder().encode(events.map { String(decoding: $0, as: UTF8.self) }).write(to: question)
        try await Shell.run([
            RepositoryRoot.path(".local/python-schemas/venv/bin/python"), "\(Self.folder)/check_events.py",
            RepositoryRoot.path("Shared/Contracts/AsyncAPI"), question.path, answer.path,
        ])
        return try JSONDecoder().decode(Answer.self, from: Data(contentsOf: answer))
    }

    /// It needs pip's settings from the environment.
    static func install() async throws {
        try await Shell.run(
            ["/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-schemas", "\(folder)/requirements.txt"],
            environment: ProcessInfo.processInfo.environment)
    }
}

@Suite("Events against their schemas", .enabled("jsonschema can be installed") { await OutsideTool.isAvailable(SchemaCheck.install) })
struct EventSchemaTests {
    @Test("the document follows the meta schema of AsyncAPI 3.0, the schemas that of JSON Schema 2020-12, and every reference leads somewhere")
    func document() async throws {
        #expect(try await SchemaCheck.ask([]).document == [])
    }

    @Test("every golden file, and 100 generated events of each type, are what the document says and have no member that it does not describe")
    func events() async throws {
        var generated = GeneratedEvents(seed: 2_020_12)
        var events = try Golden.names.map { try Golden.bytes($0) }
        for type in GeneratedEvents.typeNames {
            for _ in 0..<100 { events.append(try generated.envelope(type).wireBytes()) }
        }
        let verdicts = try await SchemaCheck.ask(events).events
        #expect(verdicts.count == events.count)
        for (event, verdict) in zip(events, verdicts) where verdict.open != nil || verdict.closed != nil {
            Issue.record("\(verdict.open ?? verdict.closed ?? ""): \(String(decoding: event, as: UTF8.self))")
        }
    }

    /// What a reader takes although no producer may write it: it needs neither of these to know what has happened.
    private static let lenient: Set = ["/datacontenttype", "/dataschema", "/data/owner_id"]

    private static let ofBoth: Set = ["/subject", "/partitionkey", "/dataschema"]

    private func fault(_ bytes: [UInt8]) -> EventFault? {
        do throws(EventFault) {
            _ = try EventEnvelope(reading: bytes).anyPayload()
            return nil
        } catch {
            return error
        }
    }

    @Test("what a schema accepts can be read, and what it refuses for want of a member can't")
    func altered() async throws {
        let altered = try Golden.names.flatMap { AlteredJSON.all(of: try JSONParser.parse(Golden.bytes($0))) }
        let verdicts = try await SchemaCheck.ask(altered.map(\.bytes)).events
        var accepted = 0
        for (event, verdict) in zip(altered, verdicts) {
            let fault = fault(event.bytes)
            let isRead = fault == nil
            if verdict.open == nil {
                accepted += 1
                // That an envelope fits its payload is what no schema can say.
                if case .member(let pointer, _)? = fault, Self.ofBoth.contains(pointer) { continue }
                #expect(isRead, "\(event.pointer) \(event.change)")
            } else if event.change == "removed", !Self.lenient.contains(event.pointer) {
                #expect(!isRead, "\(event.pointer)")
            }
            if event.change == "added", event.pointer.hasSuffix("/another") {
                #expect(verdict.open == nil && verdict.closed != nil, "\(event.pointer)")
            }
        }
        // Neither side of the property is empty.
        #expect(accepted > 200 && accepted < altered.count - 200)
    }
}
