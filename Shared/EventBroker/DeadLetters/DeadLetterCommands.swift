package import ArgumentParser
package import ServiceRuntime

/// The dead letters of a process, as its commands list, replay and discard them: those that a relay could not publish, or that a consumer
/// could not apply. The commands are the same for both.
package protocol DeadLetterCommands: Sendable {
    /// Options of every command that only such a process has.
    associatedtype Source: ParsableArguments
    /// Options of a replay that only such a process has; `--dry-run` is one, which each does in its own way.
    associatedtype ReplayOptions: ParsableArguments

    static var help: DeadLetterHelp { get }

    /// With the process's own environment, output and terminal.
    static func ofProcess(_ source: Source) -> Self

    func list(_ filter: DeadLetterFilter, json: Bool) async -> ProcessExit

    /// - Throws: `ValidationError`, which ends a command with 64.
    func replay(_ filter: DeadLetterFilter, _ options: ReplayOptions, isForced: Bool, json: Bool) async throws -> ProcessExit

    /// - Parameter person: Recorded with the note.
    func discard(_ filter: DeadLetterFilter, by person: String, note: String, isDryRun: Bool, json: Bool) async -> ProcessExit
}

/// What the help of the commands says of such a process.
package struct DeadLetterHelp: Sendable {
    let list: String
    let replay: String
    let replayDiscussion: String
    let discardDiscussion: String

    package init(list: String, replay: String, replayDiscussion: String, discardDiscussion: String) {
        self.list = list
        self.replay = replay
        self.replayDiscussion = replayDiscussion
        self.discardDiscussion = discardDiscussion
    }
}

/// Options of a process that needs none.
package struct NoOptions: ParsableArguments {
    package init() {}
}
