internal import CLibPQ

extension PostgresSession {
    /// Refuses what the protocol can't carry, before anything is sent.
    func validate(_ query: PostgresQuery) throws(PostgresError) {
        guard query.binds.count <= Self.maximumParameters else {
            throw PostgresError(.protocolViolation, "more than \(Self.maximumParameters) parameters")
        }
        for bind in query.binds where (bind.bytes?.count ?? 0) > Self.maximumBindSize {
            throw PostgresError(.protocolViolation, "a parameter of more than \(Self.maximumBindSize) bytes")
        }
        try requireNoNull(query.sql)
    }

    /// A NUL would end the statement early, as C strings go.
    func requireNoNull(_ sql: String) throws(PostgresError) {
        if sql.utf8.contains(0) { throw PostgresError(.protocolViolation, "a NUL byte in a statement") }
    }

    /// Postgres refuses messages of 1 GiB.
    private static let maximumBindSize = 1 << 29

    /// Hands one statement to libpq, unnamed, with binary parameters and results.
    func send(_ query: PostgresQuery) throws(PostgresError) {
        let binds = query.binds
        let total = binds.reduce(0) { $0 + ($1.bytes?.count ?? 0) }
        var types: [Oid] = []
        var values: [UnsafePointer<CChar>?] = []
        var lengths: [Int32] = []
        types.reserveCapacity(binds.count)
        values.reserveCapacity(binds.count)
        lengths.reserveCapacity(binds.count)
        // All values lie in one buffer, because libpq wants all pointers valid at once. It has a byte at least: an empty value is
        // not NULL, so its pointer must not be.
        let isSent = withUnsafeTemporaryAllocation(byteCount: max(1, total), alignment: 1) { buffer in
            var offset = 0
            for bind in binds {
                types.append(bind.type)
                lengths.append(Int32(bind.bytes?.count ?? 0))
                guard let bytes = bind.bytes else {
                    values.append(nil)
                    continue
                }
                UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + bytes.count]).copyBytes(from: bytes)
                values.append(buffer.baseAddress.map { UnsafePointer(($0 + offset).assumingMemoryBound(to: CChar.self)) })
                offset += bytes.count
            }
            let formats = [Int32](repeating: Self.binaryFormat, count: binds.count)
            return PQsendQueryParams(
                pointer, query.sql, Int32(binds.count), types, values, lengths, formats, Self.binaryFormat) == 1
        }
        guard isSent else { throw sendFailure() }
    }

    private static let binaryFormat: Int32 = 1
}
