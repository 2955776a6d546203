internal import ArgumentParser
internal import FoundationEssentials
internal import ServiceRuntime

/// What operators write into the record.
enum OperatorText {
    private static let maximumCharacters = 500

    static func validate(note: String?, person: String?) throws {
        for (name, text) in [("--note", note), ("--requested-by", person)] {
            guard let text else { continue }
            guard !text.isEmpty, text.count <= maximumCharacters, PlainLine.text(text) == text else {
                throw ValidationError("\(name) must be one line of 1 to \(maximumCharacters) characters")
            }
        }
    }

    /// Who sits there, as far as the environment knows.
    static func person(_ environment: [String: String]) -> String {
        let user = ["SUDO_USER", "USER", "LOGNAME"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "unknown"
        return String(PlainLine.text("\(user)@\(ProcessInfo.processInfo.hostName)").prefix(maximumCharacters))
    }
}
