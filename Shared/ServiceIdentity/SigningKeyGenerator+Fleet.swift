internal import Fleet
package import RequestSigning

extension SigningKeyGenerator {
    /// Who calls whom in the fleet.
    package static let fleet = Fleet.calls.map { Pair(caller: $0.caller, callee: $0.callee) }
}
