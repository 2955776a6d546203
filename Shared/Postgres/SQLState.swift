/// The five-character code by which Postgres names an error.
package struct SQLState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }

    package static let serializationFailure = SQLState(rawValue: "40001")
    package static let deadlockDetected = SQLState(rawValue: "40P01")
    package static let uniqueViolation = SQLState(rawValue: "23505")
    package static let checkViolation = SQLState(rawValue: "23514")
    package static let foreignKeyViolation = SQLState(rawValue: "23503")
    package static let notNullViolation = SQLState(rawValue: "23502")
    package static let exclusionViolation = SQLState(rawValue: "23P01")
    package static let raiseException = SQLState(rawValue: "P0001")
    package static let integrityConstraintViolation = SQLState(rawValue: "23000")
    package static let numericValueOutOfRange = SQLState(rawValue: "22003")
    package static let invalidTextRepresentation = SQLState(rawValue: "22P02")
    package static let divisionByZero = SQLState(rawValue: "22012")
    package static let syntaxError = SQLState(rawValue: "42601")
    package static let undefinedTable = SQLState(rawValue: "42P01")
    package static let undefinedObject = SQLState(rawValue: "42704")
    package static let insufficientPrivilege = SQLState(rawValue: "42501")
    package static let inFailedTransaction = SQLState(rawValue: "25P02")
    package static let readOnlyTransaction = SQLState(rawValue: "25006")
    package static let lockNotAvailable = SQLState(rawValue: "55P03")
    package static let objectInUse = SQLState(rawValue: "55006")
    package static let queryCanceled = SQLState(rawValue: "57014")
    package static let adminShutdown = SQLState(rawValue: "57P01")
    package static let crashShutdown = SQLState(rawValue: "57P02")
    package static let cannotConnectNow = SQLState(rawValue: "57P03")
    package static let diskFull = SQLState(rawValue: "53100")
    package static let tooManyConnections = SQLState(rawValue: "53300")

    /// The server can't do anybody's work: it shuts down or starts, is full, has no connection left, or is a standby (Postgres, appendix
    /// A: 57P01 to 57P05, 53100, 53300, 25006, classes 08 and 58).
    package var isServerUnavailable: Bool {
        [.diskFull, .tooManyConnections, .readOnlyTransaction].contains(self) || ["57P", "08", "58"].contains { rawValue.hasPrefix($0) }
    }

    /// The rest of class 53, insufficient resources, which a single statement may bring about by itself.
    package var isServerExhausted: Bool { rawValue.hasPrefix("53") && !isServerUnavailable }
}
