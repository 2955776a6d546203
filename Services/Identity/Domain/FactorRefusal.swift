/// Why a second factor was not changed.
package enum FactorRefusal: Error, Sendable, Hashable {
    /// There is none, or none that waits for its first code.
    case notEnrolled
    /// The password is too short to be the only factor.
    case passwordTooShort
}
