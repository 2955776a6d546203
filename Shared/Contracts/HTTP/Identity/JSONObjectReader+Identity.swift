import StrictJSON

/// The members of an object that several of identity's bodies have.
extension JSONObjectReader {
    /// The longest address is 254 bytes; space around it is taken off later.
    private static let emailLength = 3...320
    private static let nameLength = 1...100
    private static let handleLength = 1...128
    private static let codeLength = 1...64

    mutating func emailAddress() throws(RequestFault) -> String { try string("email", length: Self.emailLength) }

    mutating func optionalPersonName() throws(RequestFault) -> String? { try optionalString("name", length: Self.nameLength) }

    /// A language, and a region if it matters: `de`, `en-GB`.
    mutating func optionalLocale() throws(RequestFault) -> String? {
        guard let text = try optionalText("locale") else { return nil }
        let (letters, capitals) = (UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"))
        let bytes = Array(text.utf8)
        let isLanguage = bytes.count >= 2 && bytes[..<2].allSatisfy(letters.contains)
        let isRegion = bytes.count == 5 && bytes[2] == UInt8(ascii: "-") && bytes[3...].allSatisfy(capitals.contains)
        guard isLanguage, bytes.count == 2 || isRegion else { throw refusal("locale", "Must be a language such as `de` or `en-GB`.") }
        return text
    }

    mutating func flowHandle() throws(RequestFault) -> String { try string("flow", length: Self.handleLength) }

    mutating func enteredCode(_ name: String) throws(RequestFault) -> String { try string(name, length: Self.codeLength) }

    mutating func optionalEnteredCode(_ name: String) throws(RequestFault) -> String? { try optionalString(name, length: Self.codeLength) }

    /// An array of values that the type knows.
    mutating func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, count: ClosedRange<Int>, as: Choice.Type = Choice.self
    ) throws(RequestFault) -> [Choice] {
        guard case .array(let values)? = take(name), count.contains(values.count) else {
            throw refusal(name, "Must be an array of \(count.lowerBound) to \(count.upperBound) items.")
        }
        var choices: [Choice] = []
        for value in values {
            guard let choice = value.stringValue.flatMap(Choice.init(rawValue:)) else { throw refusal(name, "Must hold known values only.") }
            choices.append(choice)
        }
        return choices
    }
}
