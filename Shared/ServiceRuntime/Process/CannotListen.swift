import NIOCore

/// An address that a server could not be opened on, named; the process ends with exit code 3 and one line.
package struct CannotListen: Error, Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int
    package let reason: String

    package var description: String { "cannot listen on \(PlainLine.text(host)):\(port): \(PlainLine.text(reason))" }

    /// Runs a server; the system's refusal to bind, which does not tell the address, becomes one that does.
    package static func naming(host: String, port: Int, _ serve: () async throws -> Void) async throws {
        do {
            try await serve()
        } catch let error as IOError {
            throw CannotListen(host: host, port: port, reason: error.description)
        } catch let error as SocketAddressError {
            throw CannotListen(host: host, port: port, reason: "\(error)")
        }
    }
}
