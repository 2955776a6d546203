/// Something that a process cannot do without does not answer: a command ends with exit code 3 and one line, a server waits for it at its
/// start (``Prerequisite``).
package struct UnreachableDependency: Error, Sendable, Hashable, CustomStringConvertible {
    /// What it is and where, "Postgres at 127.0.0.1:5432" say; no credentials.
    package let name: String
    /// Why, in few words that are safe to log.
    package let reason: String

    package init(_ name: String, reason: String) {
        self.name = name
        self.reason = reason
    }

    package var description: String { "cannot reach \(PlainLine.text(name)): \(PlainLine.text(reason))" }
}
