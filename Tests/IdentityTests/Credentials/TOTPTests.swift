import Contracts
import Testing

@testable import Identity

@Suite struct TOTPTests {
    private static let totp = TOTP(secret: Array("12345678901234567890".utf8))

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(microsecondsSinceUnixEpoch: seconds * 1_000_000) }

    @Test(
        "RFC 6238, appendix B: the last six digits of its codes",
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"), (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ]
    ) func vectors(seconds: Int64, code: String) {
        #expect(Self.totp.code(at: TOTP.step(at: time(seconds))) == code)
        #expect(Self.totp.step(of: code, at: time(seconds)) == seconds / 30)
    }

    @Test func `a code is good one step before and after its own, and no longer`() {
        let code = Self.totp.code(at: 37_037_036)
        for (step, isGood) in [(37_037_034, false), (37_037_035, true), (37_037_036, true), (37_037_037, true), (37_037_038, false)]
            as [(Int64, Bool)]
        {
            #expect((Self.totp.step(of: code, at: time(step * 30 + 29)) == 37_037_036) == isGood)
        }
    }

    @Test("what is no code is the code of no step", arguments: ["", "28708", "2870820", "28708a", "２８７０８２", "287 082", "-28708"])
    func malformed(code: String) {
        #expect(!TOTP.isCode(code) && Self.totp.step(of: code, at: time(59)) == nil)
    }
}

@Suite struct RecoveryCodeTests {
    @Test func `a code is read as it is shown, and as people type it from paper`() throws {
        var random = SystemRandomNumberGenerator()
        let code = RecoveryCode.new(using: &random)
        #expect(code.shown.count == 19 && RecoveryCode(code.shown) == code && RecoveryCode(" \(code.shown.uppercased()) ") == code)
        #expect(RecoveryCode(code.characters) == code)
        #expect(RecoveryCode("OIL0-OIL0-oil0-0110") == RecoveryCode("0110011001100110"))
        #expect(!"\(code)\(String(reflecting: code))".contains(code.characters))
    }

    @Test("what is none", arguments: ["", "123456", "0000-0000-0000-000", "0000-0000-0000-00000", "uuuu-0000-0000-0000", "0000_0000_0000_0000"])
    func refused(text: String) {
        #expect(RecoveryCode(text) == nil)
    }

    @Test func `codes are drawn from the whole alphabet`() {
        var random = SystemRandomNumberGenerator()
        let letters = Set((0..<200).flatMap { _ in RecoveryCode.new(using: &random).characters })
        #expect(letters.count == 32)
    }
}
