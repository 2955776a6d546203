/// Something that a process waits for at its start and looks at before it does anything.
package struct Prerequisite: Sendable {
    package let name: String
    let check: @Sendable () async throws -> Void

    /// - Parameter check: Throws ``UnreachableDependency`` when it is to be asked again; any other error ends the process.
    package init(_ name: String, check: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.check = check
    }
}
