/// The bytes that a signature's code is computed over (RFC 9421 section 2.5), written straight into one array.
///
/// Components are appended in the order in which they are covered; ``close(parameters:)`` adds the last line. It serves signer, verifier
/// and, because it knows nothing of Florin's profile, the RFC's own vectors.
package struct SignatureBase {
    /// The base so far.
    package private(set) var bytes: [UInt8] = []
    /// The covered components as they stand in Signature-Input, `("@method" "@path"`, without the closing parenthesis.
    private(set) var components: [UInt8] = [UInt8(ascii: "(")]

    /// Room for a request with a bearer token; more is allocated when it is needed.
    private static let expectedCount = 2_048
    private static let expectedComponentsCount = 256

    package init() {
        bytes.reserveCapacity(Self.expectedCount)
        components.reserveCapacity(Self.expectedComponentsCount)
    }

    /// Appends one component's line.
    ///
    /// - Returns: False, with nothing usable in the base, when the value holds a control or non-ASCII character, or begins or ends with
    ///   a space: such a value has no single serialisation.
    package mutating func append(_ component: StaticString, value: UnsafeBufferPointer<UInt8>) -> Bool {
        let space = UInt8(ascii: " ")
        guard value.first != space, value.last != space, value.allSatisfy({ $0 >= space && $0 <= UInt8(ascii: "~") }) else { return false }
        begin(component)
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: "\n"))
        return true
    }

    /// Appends one component's line from a string; see ``append(_:value:)-(_,UnsafeBufferPointer<UInt8>)``.
    package mutating func append(_ component: StaticString, value: String) -> Bool {
        var value = value
        return value.withUTF8 { append(component, value: $0) }
    }

    /// Puts the lines into the order in which somebody else lists the components.
    ///
    /// - Parameter list: The components as they stand in Signature-Input, without the closing parenthesis.
    /// - Returns: False, with the base as it was, when they are not exactly the base's, each once, one space between them.
    mutating func reorder(as list: some Collection<UInt8>) -> Bool {
        guard list.first == UInt8(ascii: "("), list.count == components.count else { return false }
        var lines = bytes.split(separator: UInt8(ascii: "\n"))
        var ordered: [UInt8] = []
        ordered.reserveCapacity(Self.expectedCount)
        for name in list.dropFirst().split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) {
            let line = lines.firstIndex { $0.starts(with: name) && $0.dropFirst(name.count).first == UInt8(ascii: ":") }
            guard let line else { return false }
            ordered.append(contentsOf: lines.remove(at: line))
            ordered.append(UInt8(ascii: "\n"))
        }
        guard lines.isEmpty else { return false }
        bytes = ordered
        components = Array(list)
        return true
    }

    /// Appends the line of `@signature-params`, which ends the base.
    ///
    /// - Parameter parameters: What follows the covered components in Signature-Input, beginning with `;`.
    package mutating func close(parameters: some Collection<UInt8>) {
        append("\"@signature-params\": ")
        bytes.append(contentsOf: components)
        bytes.append(UInt8(ascii: ")"))
        bytes.append(contentsOf: parameters)
    }

    private mutating func begin(_ component: StaticString) {
        if components.count > 1 { components.append(UInt8(ascii: " ")) }
        let name = UnsafeBufferPointer(start: component.utf8Start, count: component.utf8CodeUnitCount)
        components.append(UInt8(ascii: "\""))
        components.append(contentsOf: name)
        components.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: name)
        append("\": ")
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
