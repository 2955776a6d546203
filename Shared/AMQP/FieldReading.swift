internal import CRabbitMQ

/// Copies what librabbitmq decoded into values of ours; its memory is gone with the next frame.
extension AMQPValue {
    private static let deepestNesting = 8

    static func values(of table: amqp_table_t, depth: Int = 0) -> [String: AMQPValue] {
        guard let entries = table.entries, table.num_entries > 0 else { return [:] }
        var values: [String: AMQPValue] = [:]
        values.reserveCapacity(Int(table.num_entries))
        for entry in UnsafeBufferPointer(start: entries, count: Int(table.num_entries)) {
            values[entry.key.text] = AMQPValue(entry.value, depth: depth)
        }
        return values
    }

    init(_ field: amqp_field_value_t, depth: Int = 0) {
        switch UInt32(field.kind) {
        case AMQP_FIELD_KIND_UTF8.rawValue: self = .string(field.value.bytes.text)
        case AMQP_FIELD_KIND_BYTES.rawValue: self = .bytes(field.value.bytes.content)
        case AMQP_FIELD_KIND_BOOLEAN.rawValue: self = .boolean(field.value.boolean != 0)
        case AMQP_FIELD_KIND_I8.rawValue: self = .integer(Int64(field.value.i8))
        case AMQP_FIELD_KIND_U8.rawValue: self = .integer(Int64(field.value.u8))
        case AMQP_FIELD_KIND_I16.rawValue: self = .integer(Int64(field.value.i16))
        case AMQP_FIELD_KIND_U16.rawValue: self = .integer(Int64(field.value.u16))
        case AMQP_FIELD_KIND_I32.rawValue: self = .integer(Int64(field.value.i32))
        case AMQP_FIELD_KIND_U32.rawValue: self = .integer(Int64(field.value.u32))
        case AMQP_FIELD_KIND_I64.rawValue: self = .integer(field.value.i64)
        case AMQP_FIELD_KIND_U64.rawValue: self = .integer(Int64(clamping: field.value.u64))
        case AMQP_FIELD_KIND_TIMESTAMP.rawValue: self = .timestamp(field.value.u64)
        case AMQP_FIELD_KIND_TABLE.rawValue where depth < Self.deepestNesting:
            self = .table(Self.values(of: field.value.table, depth: depth + 1))
        case AMQP_FIELD_KIND_ARRAY.rawValue where depth < Self.deepestNesting:
            let array = field.value.array
            let fields = UnsafeBufferPointer(start: array.entries, count: array.entries == nil ? 0 : Int(array.num_entries))
            self = .array(fields.map { AMQPValue($0, depth: depth + 1) })
        default: self = .unsupported
        }
    }
}

extension amqp_bytes_t {
    var text: String { String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : len), as: UTF8.self) }
    var content: [UInt8] { Array(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : len)) }
}

extension AMQPMessage {
    /// A message that begins with these properties; its body follows in frames of its own.
    init(_ properties: amqp_basic_properties_t) {
        func text(_ flag: Int32, _ value: amqp_bytes_t) -> String? { properties._flags & UInt32(flag) == 0 ? nil : value.text }
        self.init(
            body: [],
            messageID: text(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id) ?? "",
            contentType: text(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type),
            type: text(AMQP_BASIC_TYPE_FLAG, properties.type),
            correlationID: text(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id),
            appID: text(AMQP_BASIC_APP_ID_FLAG, properties.app_id),
            userID: text(AMQP_BASIC_USER_ID_FLAG, properties.user_id),
            timestamp: properties._flags & UInt32(AMQP_BASIC_TIMESTAMP_FLAG) == 0 ? nil : properties.timestamp,
            headers: properties._flags & UInt32(AMQP_BASIC_HEADERS_FLAG) == 0 ? [:] : AMQPValue.values(of: properties.headers),
            isPersistent: properties._flags & UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG) != 0
                && UInt32(properties.delivery_mode) == AMQP_DELIVERY_PERSISTENT.rawValue)
    }
}
