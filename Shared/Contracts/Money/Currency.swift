/// An ISO 4217 currency that has a minor unit, by its alphabetic code.
///
/// Codes without a minor unit (`XAU`, `XXX`) are unknown here: an amount in minor units would mean nothing.
package struct Currency: Sendable, Hashable, CustomStringConvertible {
    /// The three ASCII letters, most significant first.
    private let packed: UInt32

    package init?(_ code: some StringProtocol) {
        var packed: UInt32 = 0
        guard code.utf8.count == 3 else { return nil }
        for byte in code.utf8 {
            packed = (packed << 8) | UInt32(byte)
        }
        guard Self.known.contains(packed) else { return nil }
        self.packed = packed
    }

    package var code: String {
        String(unsafeUninitializedCapacity: 3) { buffer in
            buffer[0] = UInt8(truncatingIfNeeded: packed >> 16)
            buffer[1] = UInt8(truncatingIfNeeded: packed >> 8)
            buffer[2] = UInt8(truncatingIfNeeded: packed)
            return 3
        }
    }

    package var description: String { code }

    /// Every currency that Florin keeps, in the order of the alphabet.
    package static let all: [Currency] = codes.split(separator: " ").compactMap { Currency(String($0)) }

    private static let known: Set<UInt32> = Set(
        codes.split(separator: " ").map { code in code.utf8.reduce(0) { ($0 << 8) | UInt32($1) } })

    /// ISO 4217, active codes with a minor unit.
    private static let codes = """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY \
        COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD \
        IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN \
        MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD \
        SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF \
        XPF YER ZAR ZMW ZWG
        """
}
