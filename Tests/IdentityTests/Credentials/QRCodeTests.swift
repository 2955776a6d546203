import Foundation
import TestSupport
import Testing

@testable import Identity

/// The other implementation: PyPI's `zxing-cpp`, in a virtual environment of its own.
enum QRReader {
    private static let folder = RepositoryRoot.path("Tests/IdentityTests/crosscheck")

    /// What is found in each picture: texts and levels.
    static func read(_ pictures: [String]) async throws -> [[[String]]] {
        try await install()
        let folder = try TemporaryFolder("qr")
        let path = "\(folder.path)/pictures.json"
        try JSONEncoder().encode(pictures).write(to: URL(fileURLWithPath: path))
        let answer = try await Shell.run([RepositoryRoot.path(".local/python-qr/venv/bin/python"), "\(Self.folder)/read_qr.py", path])
        return try JSONDecoder().decode([[[String]]].self, from: Data(answer.utf8))
    }

    /// It needs pip's settings from the environment.
    static func install() async throws {
        try await Shell.run(
            ["/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-qr", "\(folder)/requirements.txt"],
            environment: ProcessInfo.processInfo.environment)
    }
}

@Suite struct QRCodeTests {
    @Test func `the smallest version is taken that the text fits in, up to the largest`() throws {
        for (length, version) in [(1, 1), (14, 1), (15, 2), (106, 6), (107, 7), (180, 9), (213, 10), (214, 11), (2_331, 40)] {
            let code = try #require(QRCode(String(repeating: "x", count: length)))
            #expect(code.version == version && code.size == 17 + 4 * version && code.isDark.count == code.size, "\(length)")
        }
        #expect(QRCode(String(repeating: "x", count: 2_332)) == nil)
    }

    @Test func `error correction: the example of ISO/IEC 18004, annex I`() {
        // Version 1-M, "01234567".
        let data: [UInt8] = [0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11]
        #expect(ReedSolomon(degree: 10).remainder(data) == [0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55])
    }

    @Test(
        "an independent reader finds the text in the picture, of every version",
        .enabled("zxing-cpp can be installed") { await OutsideTool.isAvailable(QRReader.install) })
    func readByAnother() async throws {
        let address = String(repeating: "m%C3%BCller", count: 6)
        let uri = "otpauth://totp/Florin:\(address)%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Florin"
        // A length in the middle of each version's.
        let lengths = [
            10, 20, 34, 50, 72, 95, 115, 137, 166, 200, 240, 270, 310, 350, 400, 440, 490, 540, 600, 650, 700, 750, 820, 900, 950, 1_100, 1_300,
            1_500,
            1_800, 2_000, 2_331,
        ]
        let texts = [uri, "ü€😀"] + lengths.map { length in (0..<length).map { String($0 % 7 + $0 % 3) }.joined() }
        let codes = try texts.map { try #require(QRCode($0)) }
        #expect(Set(codes.map(\.version)).isSuperset(of: 1...25) && codes.map(\.version).max() == 40)
        let read = try await QRReader.read(codes.map(\.svg))
        #expect(read.count == texts.count)
        for (text, found) in zip(texts, read) { #expect(found == [[text, "M"]], "\(text.utf8.count)") }
    }
}
