@testable import RequestSigning

/// The file of signing keys: what is read is written so that it is read as the same; a refusal names places and never quotes a value.
enum KeyFileTarget {
    private static let secret = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let time = SigningKeyTime.parse(text) {
            try BrokenProperty.unless(SigningKeyTime.render(time) == text, "a second spelling of \(SigningKeyTime.render(time))")
        }
        let keys: SigningKeys
        do throws(SigningKeysError) {
            keys = try SigningKeyFile.parse(bytes)
        } catch {
            return try BrokenProperty.unless(!"\(error)".contains(secret), "a refusal with a secret")
        }
        let written = SigningKeyFile.render(keys)
        guard let again = try? SigningKeyFile.parse(written) else { throw BrokenProperty(description: "what was written is refused") }
        try BrokenProperty.unless(SigningKeyFile.render(again) == written, "written again it is another file")
    }
}
