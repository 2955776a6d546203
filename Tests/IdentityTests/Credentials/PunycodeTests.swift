import Testing

@testable import Identity

@Suite struct PunycodeTests {
    @Test(
        "the samples of RFC 3492, section 7.1, as the mapping to lower case leaves them",
        arguments: [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"), ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("他們爲什麽不說中文", "ihqwctvzc91f659drss3x8bo0yb"), ("Pročprostěnemluvíčesky", "Proprostnemluvesky-uyb24dma41a"),
            ("למההםפשוטלאמדבריםעברית", "4dbcagdahymbxekheh6e0a7fei0b"),
            ("なぜみんな日本語を話してくれないのか", "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"), ("3年B組金八先生", "3B-ww4c5e180e575a65lsy2b"),
            ("Hello-Another-Way-それぞれの場所", "Hello-Another-Way--fc4qua05auwb3674vfr0b"), ("-> $1.00 <-", "-> $1.00 <--"), ("ü", "tda"),
        ]
    ) func samples(text: String, expected: String) {
        #expect(Punycode.encode(text.unicodeScalars) == expected)
    }

    @Test func `the longest label of the rarest letters is encoded without overflow`() {
        let text = String(repeating: "\u{10FFFF}", count: 1_024)
        #expect(Punycode.encode(text.unicodeScalars).utf8.allSatisfy { $0 < 0x80 })
    }
}
