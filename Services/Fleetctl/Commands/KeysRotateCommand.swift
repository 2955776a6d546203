import ArgumentParser
import FoundationEssentials
import RequestSigning
import ServiceRuntime

extension KeyRotation.Stage: ExpressibleByArgument {}

extension KeysCommand {
    /// `fleetctl keys rotate`: one stage of a rotation; every file replaced is a line on standard error, the summary is the result.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Replace keys in three stages, each safe while requests are served.",
            discussion: """
                add: callees accept a second key. switch: callers sign with it. drop: callees forget the first. Repeat a stage that was \
                interrupted; repeating a complete one changes nothing. Each stage waits until every process has read the files of the one \
                before (--propagation), drop also until no request signed with the old key can be under way (50 s).
                Exit codes: 0 done, or nothing to do; 1 too early, or a file cannot be written: repeat it; 64 wrong usage, a stage out of \
                order, or files that do not belong together. Pairs are judged before the first file is written.
                """)

        private static let maximumPropagation = Duration.seconds(86_400)

        @Option(help: "add, switch or drop.")
        var stage: KeyRotation.Stage

        @Option(help: ArgumentHelp("The folder written by 'generate'.", valueName: "folder"))
        var directory: String

        @Option(help: ArgumentHelp("Rotate this pair only.", valueName: "caller:callee"))
        var pair: String?

        @Option(
            help: ArgumentHelp(
                "How long until every process has read a file replaced in the folder. 2s where processes read the folder itself; on "
                    + "Kubernetes the time to update the Secrets and for kubelets to follow.", valueName: "duration"))
        var propagation = "3m"

        @Flag(help: "Do not wait; requests may be refused.")
        var force = false

        @Flag(help: "Print the summary as JSON.")
        var json = false

        func validate() throws {
            guard !directory.isEmpty else { throw ValidationError("--directory must name a folder") }
            _ = try (parsedPair(), propagationSeconds())
        }

        func run() async throws {
            let rotation = KeyRotation(
                stage: stage, only: try parsedPair(), propagationSeconds: try propagationSeconds(),
                now: Int64(Date().timeIntervalSince1970), force: force)
            do {
                let plan = try perform(rotation, in: SigningKeyFolder(path: directory))
                let summary = KeyRotationSummary(stage: stage, plan: plan)
                print(json ? summary.json : summary.description)
            } catch {
                StandardError.write(line: "fleetctl keys rotate: \(error)")
                try Self.exitCode(of: error).exit()
            }
        }

        private func perform(_ rotation: KeyRotation, in folder: SigningKeyFolder) throws -> KeyRotation.Plan {
            try folder.withLock {
                var files: [String: SigningKeys] = [:]
                for service in try folder.services() { files[service] = try Self.read(service, in: folder) }
                var generator = SystemRandomNumberGenerator()
                let plan = try rotation.plan(files, using: &generator)
                for keys in plan.files {
                    try folder.replace(keys)
                    StandardError.write(line: "replaced \(folder.path(of: keys.service))")
                }
                return plan
            }
        }

        private static func read(_ service: String, in folder: SigningKeyFolder) throws -> SigningKeys {
            let path = folder.path(of: service)
            do {
                let keys = try SigningKeyStore(path: path).current
                guard keys.service == service else { throw UnusableFile(description: "\(path) holds the keys of \(keys.service)") }
                return keys
            } catch let error as SigningKeysError {
                throw UnusableFile(description: "\(path): \(error)")
            }
        }

        private static func exitCode(of error: any Error) -> ProcessExit {
            switch error {
            case KeyRotation.Refusal.tooEarly: .failure
            case is KeyRotation.Refusal, is UnusableFile: .usage
            case SigningKeyFolder.Failure.cannotList, SigningKeyFolder.Failure.notAFile: .usage
            default: .failure
            }
        }

        private func parsedPair() throws -> SigningKeyGenerator.Pair? {
            guard let pair else { return nil }
            guard let parsed = SigningKeyGenerator.Pair(pair) else { throw ValidationError("'\(pair)' is not caller:callee") }
            return parsed
        }

        private func propagationSeconds() throws -> Int64 {
            let minimum = Duration.seconds(KeyRotation.minimumPropagationSeconds)
            guard let duration = DurationText.parse(propagation), (minimum...Self.maximumPropagation).contains(duration) else {
                throw ValidationError("--propagation is a duration from 2s to 24h, like 5s or 3m")
            }
            return duration.components.seconds + (duration.components.attoseconds > 0 ? 1 : 0)
        }
    }

    /// A keys file that no plan can be made with.
    private struct UnusableFile: Error, CustomStringConvertible {
        let description: String
    }
}
