import ArgumentParser
import FoundationEssentials
import ServiceRuntime

/// `fleetctl load identity`: sign-ins, refreshes and reads, and what the machine could hash at most.
struct LoadIdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Put identity under load.",
        discussion: """
            Only complete and expected answers count. Exit codes: 1 a connection was lost, or nothing was done, 3 identity cannot be reached, \
            64 wrong usage.
            """, subcommands: [Scrypt.self, SignIn.self, Refresh.self, Introspect.self, Get.self])

    fileprivate static let threads = ProcessInfo.processInfo.activeProcessorCount
    private static let maximumSeconds = 60
    private static let maximumConnections = 1_024

    struct Target: ParsableArguments {
        @Option(help: "URL of identity: http://host:port.")
        var url: String

        @Option(help: "Connections, each with one request in flight.")
        var connections: Int = 64

        @Option(help: "How long work is begun, in seconds, at most 60.")
        var seconds: Int = 5

        @Option(help: "Pieces of work per second, begun evenly however long they take; without it each connection begins one when it has done one.")
        var rate: Int?

        @Option(help: ArgumentHelp("A process whose processor time, with that of its children, is reported too; repeatable.", valueName: "pid"))
        var measure: [Int] = []

        func validate() throws {
            guard (1...LoadIdentityCommand.maximumSeconds).contains(seconds) else {
                throw ValidationError("--seconds is from 1 to \(LoadIdentityCommand.maximumSeconds)")
            }
            guard (1...LoadIdentityCommand.maximumConnections).contains(connections) else {
                throw ValidationError("--connections is from 1 to \(LoadIdentityCommand.maximumConnections)")
            }
            guard rate.map({ $0 > 0 }) ?? true else { throw ValidationError("--rate is 1 or more") }
        }

        /// Does the work, prints the report, and ends the process.
        fileprivate func perform(
            _ name: String, _ makeWork: @escaping @Sendable (IdentityRequests) -> any LoadWork, then keep: (LoadOutcome) throws -> Void = { _ in }
        ) async throws {
            let target: LoadTarget
            do { target = try LoadTarget(url: url, of: "identity") } catch { throw ValidationError("\(error)") }
            try await ProcessExit.ending("fleetctl load identity \(name)") {
                let before = measure.map(ProcessorTime.used(byTreeOf:))
                let outcome = try await target.run(
                    connections: connections, limit: .seconds(seconds), rate: rate, receiveBytes: LoadTarget.receiveBytesOfTokens
                ) { makeWork(IdentityRequests(authority: target.authority)) }
                let after = measure.map(ProcessorTime.used(byTreeOf:))
                try keep(outcome)
                let done = outcome.latencies.count
                print("{\"done\":\(done),\(outcome.members(of: done, per: "piece", measured: zip(before, after).map { $1 > $0 ? $1 - $0 : 0 }))}")
                return done > 0 && outcome.isComplete ? .success : .failure
            }.exit()
        }
    }

    fileprivate static func lines(of path: String) throws(ValidationError) -> [String] {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw ValidationError("\(path) cannot be read") }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard !lines.isEmpty else { throw ValidationError("\(path) is empty") }
        return lines
    }

    fileprivate static func write(_ lines: [String], to path: String) throws {
        try Data(lines.map { "\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
    }
}

extension LoadIdentityCommand {
    /// `fleetctl load identity scrypt`.
    struct Scrypt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "scrypt", abstract: "Hash a password on every core, and print how many hashes a second that made, and one of them.")

        @Option(help: "How long to hash, in seconds.")
        var seconds: Int = 5

        @Option(help: "The password.")
        var password: String

        func validate() throws {
            guard (1...LoadIdentityCommand.maximumSeconds).contains(seconds) else {
                throw ValidationError("--seconds is from 1 to \(LoadIdentityCommand.maximumSeconds)")
            }
        }

        func run() async throws {
            let limit = ScryptLimit(password: password)
            let (hashes, seconds) = await limit.measure(threads: LoadIdentityCommand.threads, for: .seconds(seconds))
            print("{\"done\":\(hashes),\"per_second\":\(Double(hashes) / seconds),\"phc\":\"\(try limit.phc())\"}")
        }
    }

    /// `fleetctl load identity sign-in`.
    struct SignIn: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-in", abstract: "Sign people in as a first-party app does: password, code, tokens.")

        @OptionGroup var target: Target

        @Option(help: "The app's client id.")
        var client: String

        @Option(help: ArgumentHelp("The people's addresses, one a line; each signs in once.", valueName: "file"))
        var people: String

        @Option(help: "The password of all of them, in letters and digits.")
        var password: String

        func run() async throws {
            let (client, password, people) = (client, password, try LoadIdentityCommand.lines(of: people))
            try await target.perform("sign-in") { SignInWork($0, clientID: client, addresses: people, password: password) }
        }
    }

    /// `fleetctl load identity refresh`.
    struct Refresh: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "refresh", abstract: "Refresh many grants in turn.")

        @OptionGroup var target: Target

        @Option(help: "The id of the client that the tokens were given to.")
        var client: String

        @Option(help: ArgumentHelp("Refresh tokens, one a line; their successors are written there, the next in turn first.", valueName: "file"))
        var tokens: String

        @Option(help: ArgumentHelp("Where to write some of the access tokens, one a line.", valueName: "file"))
        var accessTokens: String?

        func run() async throws {
            let (client, path, tokens) = (client, tokens, try LoadIdentityCommand.lines(of: tokens))
            try await target.perform("refresh") {
                RefreshWork($0, clientID: client, tokens: tokens)
            } then: { outcome in
                try LoadIdentityCommand.write(outcome.refreshTokens, to: path)
                if let accessTokens { try LoadIdentityCommand.write(outcome.accessTokens, to: accessTokens) }
            }
        }
    }

    /// `fleetctl load identity introspect`.
    struct Introspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "introspect", abstract: "Ask whether access tokens are good; the client's secret is read from CLIENT_SECRET.")

        @OptionGroup var target: Target

        @Option(help: "The id of the client that asks.")
        var client: String

        @Option(help: ArgumentHelp("Access tokens, one a line.", valueName: "file"))
        var tokens: String

        func run() async throws {
            let tokens = try LoadIdentityCommand.lines(of: tokens)
            guard let secret = ProcessInfo.processInfo.environment["CLIENT_SECRET"] else { throw ValidationError("CLIENT_SECRET is missing") }
            let credentials = Data("\(client):\(secret)".utf8).base64EncodedString()
            try await target.perform("introspect") { requests in
                RepeatedRequests(
                    tokens.map { requests.post("/oauth2/introspect", "token=\($0)", by: credentials) }, expecting: "\"active\":true")
            }
        }
    }

    /// `fleetctl load identity get`.
    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "get", abstract: "Read one document.")

        @OptionGroup var target: Target

        @Argument(help: "Its path.")
        var path: String

        @Option(help: "What it must hold.")
        var expect: String

        func run() async throws {
            let (path, expect) = (path, expect)
            try await target.perform("get") { RepeatedRequests([$0.get(path)], expecting: expect) }
        }
    }
}
