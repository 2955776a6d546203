import AMQP
import Contracts
import EventBroker
package import ServiceRuntime

/// One run of `fleetctl topology`: the settings, the broker, the report.
package struct TopologyRun: Sendable {
    private static let types = EventCatalogue.entries.map(\.type)

    private let action: TopologyReport.Action
    private let isJSON: Bool

    package init(_ action: TopologyReport.Action, isJSON: Bool = false) {
        self.action = action
        self.isJSON = isJSON
    }

    /// - Parameters:
    ///   - print: Takes the report.
    ///   - reportError: Takes the one line about what stopped it.
    package func perform(
        environment: [String: String], print: (String) -> Void, reportError: (String) -> Void = StandardError.write(line:)
    ) async -> ProcessExit {
        await ProcessExit.ending("fleetctl topology \(action.rawValue)", reportError: reportError) {
            let broker = try BrokerSettings(SettingsReader(environment: environment).read(BrokerSettings.declared))
            let report = try await report(broker.configuration)
            print(isJSON ? report.json : report.text)
            return report.exit
        }
    }

    private func report(_ configuration: AMQPConfiguration) async throws(UnreachableDependency) -> TopologyReport {
        let topology = EventTopology.whole(types: Self.types)
        do throws(AMQPError) {
            switch action {
            case .plan:
                return TopologyReport(.plan, types: Self.types, findings: try await topology.findings(on: configuration, name: "fleetctl"))
            case .apply:
                let change = try await topology.apply(
                    on: configuration, name: "fleetctl", removing: EventTopology.obsolete(types: Self.types))
                return TopologyReport(.apply, types: Self.types, made: change.made, findings: change.remaining)
            }
        } catch {
            throw UnreachableDependency(configuration, reason: error.description)
        }
    }
}
