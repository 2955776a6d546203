import Contracts
import Testing

@Suite("Numbers from outside")
struct DecimalDigitsTests {
    @Test("a number has one spelling", arguments: ["0", "1", "10", "9223372036854775807"])
    func accepted(text: String) {
        #expect(DecimalDigits.number(text, as: Int64.self).map(String.init) == text)
    }

    @Test(
        "every other spelling is refused",
        arguments: ["", "+1", "-1", "01", "00", " 1", "1 ", "1_0", "1.0", "1e1", "0x1", "\u{661}", "\u{FF11}", "1\u{301}", "9223372036854775808"])
    func refused(text: String) {
        #expect(DecimalDigits.number(text, as: Int64.self) == nil)
    }
}
