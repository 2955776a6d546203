import Foundation
import Testing

/// Replays the fuzzer's corpus, so that what it has found once stays found.
@Suite("The fuzzer's corpus")
struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Corpus")

    @Test("nothing in it breaks what must hold for every input", arguments: FuzzTarget.allCases)
    func replay(_ target: FuzzTarget) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appendingPathComponent(target.rawValue), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = Array(try Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(bytes) }
            // Cut anywhere and with a bit flipped it must do no harm either.
            for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 64)) {
                var flipped = bytes
                flipped[index] ^= 1 << (index % 8)
                #expect(throws: Never.self, "\(file.lastPathComponent), flipped at \(index)") { try target.run(flipped) }
                #expect(throws: Never.self, "\(file.lastPathComponent), cut at \(index)") { try target.run(Array(bytes[..<index])) }
            }
        }
    }

    @Test("every folder of it is a target's")
    func folders() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }
}
