import Contracts
import HTTPService

private let referenceLength = 1...64

extension QueryReader {
    func kind() throws -> PostingKind? { try choice("kind") }

    /// Whether only holds that are open are asked for. There is no index for the ones that ended one way or another.
    func openOnly() throws -> Bool {
        guard let text = text("status") else { return false }
        guard text == HoldStatus.open.rawValue else { throw Self.fault(.malformedRequest, "status", "Can only be open.") }
        return true
    }

    func reference() throws -> String? {
        guard let text = text("reference") else { return nil }
        guard referenceLength.contains(text.unicodeScalars.count), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw Self.fault(.malformedRequest, "reference", "Must be 1 to 64 characters, none of them a control character.") }
        return text
    }
}
