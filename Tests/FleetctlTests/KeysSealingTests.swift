import ArgumentParser
import Contracts
import Foundation
import Sealing
import TestSupport
import Testing

@testable import Fleetctl

@Suite("fleetctl keys sealing")
struct KeysSealingTests {
    private func run(_ folder: TemporaryFolder, _ more: String...) async throws {
        let command = try KeysCommand.Seal.parse(
            ["--private", "\(folder.path)/private.json", "--public", "\(folder.path)/public.json"] + more)
        try await command.run()
    }

    @Test("it makes a pair that fits, overwrites nothing, and rotates so that what was sealed before still opens")
    func pair() async throws {
        let folder = try TemporaryFolder("keys-sealing")
        try await run(folder, "--keyid", "one")
        let event = EventID(UUID())
        let sealed = try SealingKey(file: "\(folder.path)/public.json").seal([1], boundTo: event)
        await #expect(throws: (any Error).self) { try await run(folder, "--keyid", "two") }
        try await run(folder, "--keyid", "two", "--rotate")
        #expect(try SealingKey(file: "\(folder.path)/public.json").id == "two")
        #expect(try OpeningKeys(file: "\(folder.path)/private.json").open(sealed, boundTo: event) == [1])
    }

    @Test(
        "a name that no file can hold, and one file for both, are refused",
        arguments: [["--keyid", "a b"], ["--keyid", ""], ["--public", "x", "--private", "x"]])
    func refused(options: [String]) {
        #expect(throws: (any Error).self) { try KeysCommand.Seal.parse(["--private", "a", "--public", "b"] + options) }
    }
}
