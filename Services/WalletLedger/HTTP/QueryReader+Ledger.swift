import Contracts
import HTTPService

extension QueryReader {
    func kind() throws -> PostingKind? { try choice("kind") }

    /// Whether only holds that are open are asked for. There is no index for the ones that ended one way or another.
    func openOnly() throws -> Bool {
        guard let text = text("status") else { return false }
        guard text == HoldStatus.open.rawValue else { throw Self.fault(.malformedRequest, "status", "Must be `open`.") }
        return true
    }

    func reference() throws -> String? {
        guard let text = text("reference") else { return nil }
        guard PostingReference.length.contains(text.unicodeScalars.count), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw Self.fault(.malformedRequest, "reference", "Must be 1 to 64 characters long, without control characters.") }
        return text
    }
}
