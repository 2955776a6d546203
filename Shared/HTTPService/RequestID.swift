package import Observability

/// Ours, not Hummingbird's type of the same name.
package typealias RequestID = Observability.RequestID
