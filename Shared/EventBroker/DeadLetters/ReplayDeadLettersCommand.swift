package import ArgumentParser
internal import ServiceRuntime

/// `replay-dead-letters`, the same for relays and consumers but for the options of their own.
package struct ReplayDeadLettersCommand<Commands: DeadLetterCommands>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "replay-dead-letters", abstract: Commands.help.replay,
            discussion: """
                \(Commands.help.replayDiscussion) Exit codes: 0 all replayed, 1 some failed again, are too old or are being replayed by \
                another run, or the one that was named is not open, 3 something needed cannot be reached, 64 wrong usage or configuration.
                """)
    }

    @OptionGroup package var source: Commands.Source
    @OptionGroup package var selection: DeadLetterSelection
    @OptionGroup package var options: Commands.ReplayOptions

    @Flag(help: "Include events older than \(ReplayAge.text), which may already have been applied.")
    package var force = false

    @Flag(help: "Print JSON, one object a line; the last is the summary.")
    package var json = false

    package init() {}

    package func run() async throws {
        try await Commands.ofProcess(source).replay(selection.filter(), options, isForced: force, json: json).exit()
    }
}
