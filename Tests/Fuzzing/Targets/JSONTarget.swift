import Contracts
import Foundation
import StrictJSON

/// The reader of bodies: what it takes, the writer writes so that it is read as the same again, and Foundation takes it too.
enum JSONTarget {
    /// Foundation refuses numbers beyond its own range; ours keep their spelling.
    private static let shortNumber = 15

    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        decode(bytes)
        guard let value = try? JSONParser.parse(bytes) else { return }
        let written = write(value)
        guard let again = try? JSONParser.parse(written) else { throw BrokenProperty(description: "what was written can't be read") }
        try BrokenProperty.unless(again == value, "read again it is another value")
        try BrokenProperty.unless(write(again) == written, "written again it is another text")
        try BrokenProperty.unless(depth(of: value) <= JSONParser.maximumDepth, "deeper than the limit")
        guard hasShortNumbers(value) else { return }
        let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        try BrokenProperty.unless(theirs != nil, "Foundation does not take it")
    }

    /// Every body that a request may have, on whatever is there.
    private static func decode(_ bytes: [UInt8]) {
        _ = try? OpenWalletRequest(wireBytes: bytes)
        _ = try? FundingRequest(wireBytes: bytes)
        _ = try? RefundRequest(wireBytes: bytes)
        _ = try? FreezeWalletRequest(wireBytes: bytes)
        _ = try? OverdraftLimitRequest(wireBytes: bytes)
        _ = try? TransferRequest(wireBytes: bytes)
        _ = try? TransferBatchRequest(wireBytes: bytes)
        _ = try? PlaceHoldRequest(wireBytes: bytes)
        _ = try? CaptureHoldRequest(wireBytes: bytes)
        _ = try? RegisterUserRequest(wireBytes: bytes)
        _ = try? VerifyEmailRequest(wireBytes: bytes)
        _ = try? RecoveryRequest(wireBytes: bytes)
        _ = try? CompleteRecoveryRequest(wireBytes: bytes)
        _ = try? ChangePasswordRequest(wireBytes: bytes)
        _ = try? ConfirmTOTPRequest(wireBytes: bytes)
        _ = try? ChangeProfileRequest(wireBytes: bytes)
        _ = try? RenameDeviceRequest(wireBytes: bytes)
        _ = try? ResolveUserRequest(wireBytes: bytes)
    }

    private static func write(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    private static func depth(of value: JSONValue) -> Int {
        switch value {
        case .null, .bool, .number, .string: 1
        case .array(let items): 1 + (items.map(depth).max() ?? 0)
        case .object(let members): 1 + (members.map { depth(of: $0.value) }.max() ?? 0)
        }
    }

    private static func hasShortNumbers(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool, .string: true
        case .number(let text): text.utf8.count <= shortNumber && !text.contains { "eE".contains($0) }
        case .array(let items): items.allSatisfy(hasShortNumbers)
        case .object(let members): members.allSatisfy { hasShortNumbers($0.value) }
        }
    }
}
