import FoundationEssentials
package import ServiceRuntime

/// One run of `fleetctl demo`: the settings, the journey, and how it ends.
package enum DemoRun {
    /// - Parameters:
    ///   - print: Takes a line for each step, and for the one that goes otherwise what was expected and what was got.
    ///   - reportError: Takes the one line about anything else that ends it.
    package static func perform(
        environment: [String: String], print: @escaping @Sendable (String) -> Void,
        reportError: (String) -> Void = StandardError.write(line:)
    ) async -> ProcessExit {
        await ProcessExit.ending("fleetctl demo", reportError: reportError) {
            let settings = try DemoSettings(environment: environment) { path in
                FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
            }
            let journey = DemoJourney(settings: settings, report: DemoReport(print: print))
            do {
                try await journey.run()
                return .success
            } catch let failure as DemoFailure {
                print("✗ \(failure)")
                return .failure
            }
        }
    }
}
