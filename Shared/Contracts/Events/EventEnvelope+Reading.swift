import StrictJSON

extension EventEnvelope {
    /// As large as a request's body may be; the payloads of the catalogue need a few kilobytes.
    package static let maximumBytes = 65_536
    /// Of `source`, `type`, `subject` and `partitionkey`, in characters. AMQP's routing keys end there too.
    private static let attributeLength = 1...255
    /// Of `dataschema`, which repeats the type.
    private static let schemaLength = 1...512
    private static let specVersion = "1.0"
    private static let jsonMediaType = "application/json"

    /// Reads an event in CloudEvents' structured mode: one JSON object.
    ///
    /// What Florin requires is checked: `specversion`, `id`, `source`, `type`, `subject`, `time`, `partitionkey` and an object as `data`; and
    /// that a `dataschema` is the type's.
    /// Other attributes and extensions are ignored, a `traceparent` that is none included: a broken trace is no reason to lose an event.
    /// Depth and number of members are bounded as those of requests (``JSONParser``).
    ///
    /// - Throws: ``EventFault``, never `unsupportedType`: any type is read.
    package init(reading bytes: some Collection<UInt8>) throws(EventFault) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge(bytes: bytes.count) }
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            throw .notJSON(error)
        }
        do throws(RequestFault) {
            var object = try JSONObjectReader(value)
            try self.init(reading: &object)
        } catch {
            throw EventFault(error)
        }
    }

    private init(reading object: inout JSONObjectReader) throws(RequestFault) {
        guard try object.string("specversion", length: Self.attributeLength) == Self.specVersion else {
            throw object.refusal("specversion", "Must be \(Self.specVersion).")
        }
        if let mediaType = try object.optionalString("datacontenttype", length: Self.attributeLength),
            mediaType.prefix(while: { $0 != ";" && $0 != " " }).lowercased() != Self.jsonMediaType
        {
            throw object.refusal("datacontenttype", "Must be \(Self.jsonMediaType).")
        }
        let id: EventID = try object.identifier("id")
        let source = try object.string("source", length: Self.attributeLength)
        let type = try object.string("type", length: Self.attributeLength)
        if let schema = try object.optionalString("dataschema", length: Self.schemaLength),
            !schema.utf8.elementsEqual(Self.schema(of: type).utf8)
        {
            throw object.refusal("dataschema", "Must be the schema of the event's type.")
        }
        let subject = try object.string("subject", length: Self.attributeLength)
        let time = try object.time("time")
        let partitionKey = try object.string("partitionkey", length: Self.attributeLength)
        let traceparent = object.take("traceparent")?.stringValue.flatMap { Self.isTraceparent($0) ? $0 : nil }
        guard let data = object.take("data") else { throw object.refusal("data", "Required.") }
        guard case .object = data else { throw object.refusal("data", "Must be an object.") }
        self.init(
            id: id, source: source, type: type, subject: subject, time: time, partitionKey: partitionKey, traceparent: traceparent,
            data: data)
    }

    /// The shape that W3C Trace Context gives it, `00-<32>-<16>-<2>` in lower-case hexadecimal; what it means is for the tracer to judge.
    private static func isTraceparent(_ text: String) -> Bool {
        let dashes = [2, 35, 52]
        guard text.utf8.count == 55 else { return false }
        return text.utf8.enumerated().allSatisfy { offset, byte in
            switch byte {
            case UInt8(ascii: "-"): dashes.contains(offset)
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): !dashes.contains(offset)
            default: false
            }
        }
    }
}
