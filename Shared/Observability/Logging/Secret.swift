/// A value that never shows: printed, interpolated, logged or mirrored it is `<redacted>`.
///
/// It is for credentials and for personal data in log metadata alike: the type, not the caller's memory, keeps them out of the logs.
package struct Secret<Wrapped: Sendable>: Sendable {
    private let wrapped: Wrapped

    package init(_ wrapped: Wrapped) {
        self.wrapped = wrapped
    }

    /// The value itself, at the one place that needs it.
    package func reveal() -> Wrapped { wrapped }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static var mark: String { "<redacted>" }

    package var description: String { Self.mark }
    package var debugDescription: String { Self.mark }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
