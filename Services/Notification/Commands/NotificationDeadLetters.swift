import ArgumentParser
package import EventBroker
package import EventConsumption
import FoundationEssentials
package import ServiceRuntime
import WorkQueue

/// Which dead letters an operator means.
package enum DeadLetterFamily: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// Mails that were given up, or that may have been sent.
    case deliveries
    /// Requests for messages that could not be read or written down.
    case events
}

/// The dead letters of notification, of both families, behind the commands that every relay and consumer has.
package struct NotificationDeadLetters: DeadLetterCommands {
    package struct Source: ParsableArguments, Sendable {
        @Option(help: "deliveries: mails that were given up or may have been sent; events: requests that could not be applied.")
        package var of = DeadLetterFamily.deliveries

        package init() {}
    }

    package static let help = DeadLetterHelp(
        list: "List mails that were not delivered, or requests that could not be applied, without what they say.",
        replay: "Try dead letters again.",
        replayDiscussion: "A mail of the class unknown may have been delivered: --force sends it again, under the same Message-ID. One whose "
            + "time is over is not sent, and ends as expired. Of events, run --plan first, then --canary 1, then replay the rest.",
        discardDiscussion: "A mail's text is erased; the row stays for 90 days.")

    private let family: DeadLetterFamily
    private let environment: [String: String]
    private let deliveries: WorkDeadLetters<NotificationService>
    private let events: ConsumerDeadLetterCommands<NotificationService>

    package init(
        _ family: DeadLetterFamily, environment: [String: String], context: @escaping ContextSource = ProcessContext.ofCommand,
        print: @escaping @Sendable (_ line: String) -> Void, progress: (@Sendable (_ line: String) -> Void)? = nil,
        reportError: @escaping @Sendable (_ line: String) -> Void = StandardError.write(line:)
    ) {
        self.family = family
        self.environment = environment
        deliveries = WorkDeadLetters(environment: environment, context: context, print: print, reportError: reportError)
        events = ConsumerDeadLetterCommands(
            environment: environment, context: context, print: print, progress: progress, reportError: reportError)
    }

    package static func ofProcess(_ source: Source) -> Self {
        Self(
            source.of, environment: ProcessInfo.processInfo.environment, print: { line in Swift.print(line) }, progress: StandardError.toTerminal)
    }

    package func list(_ filter: DeadLetterFilter, json: Bool) async -> ProcessExit {
        switch family {
        case .deliveries: await deliveries.list(filter, json: json)
        case .events: await events.list(filter, json: json)
        }
    }

    package func replay(
        _ filter: DeadLetterFilter, _ options: ConsumerReplayOptions, isForced: Bool, json: Bool
    ) async throws -> ProcessExit {
        guard family == .deliveries else { return try await events.replay(filter, options, isForced: isForced, json: json) }
        guard !options.plan, options.canary == nil, options.rate == nil, !options.genuine else {
            throw ValidationError("--plan, --canary, --rate and --genuine are for --of events")
        }
        let person = try OperatorText.person(named: options.requestedBy, environment, isRecorded: !options.dryRun)
        return await deliveries.replay(
            filter, by: person, note: options.note, isForced: isForced, isDryRun: options.dryRun, json: json)
    }

    package func discard(
        _ filter: DeadLetterFilter, by person: String, note: String, isDryRun: Bool, json: Bool
    ) async -> ProcessExit {
        switch family {
        case .deliveries: await deliveries.discard(filter, by: person, note: note, isDryRun: isDryRun, json: json)
        case .events: await events.discard(filter, by: person, note: note, isDryRun: isDryRun, json: json)
        }
    }
}
