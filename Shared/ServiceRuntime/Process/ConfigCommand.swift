package import ArgumentParser
import FoundationEssentials

/// `config`, the same for every service: lists its settings, and says which of them would stop the start.
package struct ConfigCommand<Service: FlorinService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "config", abstract: "List every setting with its unit, default and current value.",
            discussion: "Secrets are shown as <set> or <unset>. Exits with 64 when a setting is invalid.")
    }

    @Flag(help: "Print JSON.")
    package var json = false

    package init() {}

    package func run() async throws {
        let listing = SettingListing(of: Service.Settings.allDeclared, environment: ProcessInfo.processInfo.environment)
        print(json ? listing.json : listing.table)
        if !listing.isAccepted { try ProcessExit.usage.exit() }
    }
}
