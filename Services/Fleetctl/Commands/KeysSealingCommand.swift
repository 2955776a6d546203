import ArgumentParser
import FoundationEssentials
import Sealing

extension KeysCommand {
    /// `fleetctl keys sealing`: the keys to which identity seals what only notification may read.
    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sealing", abstract: "Make or rotate notification's sealing keys.",
            discussion: """
                The private file (mode 0600) is notification's, the public one identity's; nothing of them is printed. --rotate puts a new \
                key before the newest. Give notification its file and restart it before identity gets the other.
                """)

        @Option(name: .customLong("private"), help: "File of the private keys.")
        var privateFile: String

        @Option(name: .customLong("public"), help: "File of the public keys.")
        var publicFile: String

        @Option(name: .customLong("keyid"), help: "Name of the new key, 1 to 64 visible ASCII characters. Default: the date.")
        var keyID: String?

        @Flag(help: "Replace existing files: the new key first, then the newest so far.")
        var rotate = false

        func validate() throws {
            guard !privateFile.isEmpty, !publicFile.isEmpty, privateFile != publicFile else {
                throw ValidationError("--private and --public must name two files")
            }
            guard keyID.map({ (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }) ?? true else {
                throw ValidationError("--keyid must have 1 to 64 visible ASCII characters")
            }
        }

        func run() async throws {
            let id = keyID ?? String(Date().formatted(.iso8601).prefix(10))
            let generator = SealingKeyGenerator(privatePath: privateFile, publicPath: publicFile)
            do throws(SealingKeyFault) {
                if rotate { try generator.rotate(id: id) } else { try generator.make(id: id) }
            } catch {
                throw ValidationError(error.description)
            }
            print(id)
        }
    }
}
