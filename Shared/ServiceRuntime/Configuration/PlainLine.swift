/// Text from outside made fit for one line of an operator's terminal.
package enum PlainLine {
    /// Longer text is cut; an operator needs the beginning only.
    package static let maximumCharacters = 1_000

    /// The text without control characters and line breaks, which could forge a second line.
    package static func text(_ text: some StringProtocol) -> String {
        var line = ""
        for scalar in text.unicodeScalars.prefix(maximumCharacters) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format: line.unicodeScalars.append("\u{FFFD}")
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
