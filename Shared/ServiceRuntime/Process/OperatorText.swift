internal import ArgumentParser
internal import FoundationEssentials

/// What operators write into the record.
package enum OperatorText {
    private static let maximumCharacters = 500

    package static func validate(note: String?, person: String?) throws {
        for (name, text) in [("--note", note), ("--requested-by", person)] {
            guard let text else { continue }
            guard !text.isEmpty, text.count <= maximumCharacters, PlainLine.text(text) == text else {
                throw ValidationError("\(name) must be one line of 1 to \(maximumCharacters) characters")
            }
        }
    }

    /// Who asks: the one who is named, otherwise the environment's user. A pod's has none, nor has that of the local fleet's `exec`.
    ///
    /// - Parameter isRecorded: Whether anything keeps the name; nothing does of a dry run.
    /// - Throws: `ValidationError`, which ends a command with 64, when a record would name nobody.
    package static func person(named name: String?, _ environment: [String: String], isRecorded: Bool) throws -> String {
        if let name { return name }
        guard let user = ["SUDO_USER", "USER", "LOGNAME"].lazy.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) else {
            guard !isRecorded else { throw ValidationError("--requested-by is required: the environment names no user") }
            return "nobody"
        }
        return String(PlainLine.text("\(user)@\(ProcessInfo.processInfo.hostName)").prefix(maximumCharacters))
    }
}
