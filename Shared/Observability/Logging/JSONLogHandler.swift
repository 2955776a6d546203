import Contracts
package import Logging

/// Writes each log event as one JSON object on a line of its own.
///
/// Members: `timestamp` (RFC 3339, UTC, milliseconds), `level`, `logger`, `message`, `service`, `error` where there is one, then the
/// metadata, nested dictionaries flattened to dotted keys. What must not show has a type that does not print: see ``Secret``.
package struct JSONLogHandler: LogHandler {
    /// A longer text is cut; no line of ours needs more.
    package static let maximumTextBytes = 8_192
    /// Deeper metadata is written as one text.
    package static let maximumDepth = 8

    private static let reserved: Set<String> = ["timestamp", "level", "logger", "message", "service", "error"]
    private static let typicalLineBytes = 384

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let service: String
    private let output: LogOutput
    private let now: @Sendable () -> Int64

    /// - Parameter now: Microseconds since the Unix epoch.
    package init(
        label: String, service: String, level: Logger.Level, output: LogOutput,
        now: @escaping @Sendable () -> Int64 = WallClock.microsecondsSinceUnixEpoch
    ) {
        self.label = label
        self.service = service
        self.logLevel = level
        self.output = output
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line: [UInt8] = []
        line.reserveCapacity(Self.typicalLineBytes)
        line.append(contentsOf: #"{"timestamp":""#.utf8)
        line.append(contentsOf: Timestamp(microsecondsSinceUnixEpoch: now()).description.utf8)
        line.append(contentsOf: #"","level":""#.utf8)
        line.append(contentsOf: event.level.rawValue.utf8)
        line.append(UInt8(ascii: "\""))
        append(member: "logger", text: label, to: &line)
        append(member: "message", text: event.message.description, to: &line)
        append(member: "service", text: service, to: &line)
        if let error = event.error { append(member: "error", text: "\(error)", to: &line) }
        // What the call says wins over what the logger carries, and that over the task's own metadata.
        let provided = metadataProvider?.get() ?? [:]
        for (key, value) in provided where metadata[key] == nil && event.metadata?[key] == nil {
            append(metadata: value, key: key, depth: 0, to: &line)
        }
        for (key, value) in metadata where event.metadata?[key] == nil { append(metadata: value, key: key, depth: 0, to: &line) }
        if let own = event.metadata {
            for (key, value) in own { append(metadata: value, key: key, depth: 0, to: &line) }
        }
        line.append(UInt8(ascii: "}"))
        line.append(UInt8(ascii: "\n"))
        output.write(line)
    }

    private func append(metadata value: Logger.MetadataValue, key: String, depth: Int, to line: inout [UInt8]) {
        // A metadata key that is one of the line's own members must not appear as a second one.
        let key = depth == 0 && Self.reserved.contains(key) ? "metadata." + key : key
        switch value {
        case .string(let text): append(member: key, text: text, to: &line)
        case .stringConvertible(let convertible): append(member: key, text: convertible.description, to: &line)
        case .dictionary(let dictionary) where depth < Self.maximumDepth:
            for (name, value) in dictionary { append(metadata: value, key: "\(key).\(name)", depth: depth + 1, to: &line) }
        case .array(let values) where depth < Self.maximumDepth:
            append(name: key, to: &line)
            append(array: values, to: &line)
        case .dictionary, .array: append(member: key, text: value.description, to: &line)
        }
    }

    /// Elements are texts; a structure inside an array is rare and written as one.
    private func append(array values: [Logger.MetadataValue], to line: inout [UInt8]) {
        line.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            JSONText.append(value.description, to: &line, maximumBytes: Self.maximumTextBytes)
        }
        line.append(UInt8(ascii: "]"))
    }

    private func append(member name: String, text: String, to line: inout [UInt8]) {
        append(name: name, to: &line)
        JSONText.append(text, to: &line, maximumBytes: Self.maximumTextBytes)
    }

    private func append(name: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: ","))
        JSONText.append(name, to: &line, maximumBytes: Self.maximumTextBytes)
        line.append(UInt8(ascii: ":"))
    }
}
