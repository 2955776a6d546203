import ArgumentParser
import FoundationEssentials
import RequestSigning
import ServiceIdentity

/// `fleetctl keys`: the secrets with which services sign requests to each other, and to which they seal what only one may read.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make and rotate the keys that services sign their requests with, and seal to.",
        subcommands: [Generate.self, Rotate.self, Seal.self])
}

extension KeysCommand {
    /// `fleetctl keys generate`: prints the paths of the files it wrote, never their content.
    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate", abstract: "Write one keys file per service, readable by its owner only.",
            discussion: "Each pair of services gets one secret, stored in both services' files. Give every service its own file and no other.")

        @Option(help: ArgumentHelp("Who calls whom, as caller:callee,caller:callee (default: as the fleet calls).", valueName: "pairs"))
        var pairs: String?

        @Option(help: ArgumentHelp("Folder for the <service>.keys.json files; created if missing.", valueName: "folder"))
        var output: String

        @Flag(help: "Overwrite existing files.")
        var force = false

        func validate() throws {
            guard !output.isEmpty else { throw ValidationError("--output must name a folder") }
            _ = try parsedPairs()
        }

        func run() async throws {
            var generator = SystemRandomNumberGenerator()
            let keys: [SigningKeys]
            do {
                keys = try SigningKeyGenerator.generate(
                    pairs: try parsedPairs(), now: Int64(Date().timeIntervalSince1970), using: &generator)
            } catch let error as SigningKeysError {
                throw ValidationError(error.description)
            }
            do {
                for path in try SigningKeyFolder(path: output).write(keys, replacing: force) { print(path) }
            } catch SigningKeyFolder.Failure.exists(let path) {
                throw ValidationError("\(path) already exists; --force overwrites it")
            }
        }

        private func parsedPairs() throws -> [SigningKeyGenerator.Pair] {
            guard let pairs else { return SigningKeyGenerator.fleet }
            return try pairs.split(separator: ",", omittingEmptySubsequences: false).map { text in
                guard let pair = SigningKeyGenerator.Pair(String(text)) else { throw ValidationError("'\(text)' is not caller:callee") }
                return pair
            }
        }
    }
}
