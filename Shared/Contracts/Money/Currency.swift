/// A currency by its alphabetic code: three capital ASCII letters.
///
/// What may be read and what may be opened are two lists, because ISO 4217 forgets currencies and a ledger doesn't. Rows and events have
/// a currency whatever its code is (``init(letters:)``), or one strange row would hide its neighbours. Requests name a currency that has
/// a minor unit or had one (``init(_:)``), so that a wallet of one that left can still be emptied. Only one that ``isActive`` is opened.
///
/// Codes without a minor unit (`XAU`, `XXX`) are in neither list: an amount in minor units would mean nothing.
package struct Currency: Sendable, Hashable, CustomStringConvertible {
    /// The three ASCII letters, most significant first.
    private let packed: UInt32

    /// A currency of ISO 4217 with a minor unit, one that left the standard included.
    package init?(_ code: String) {
        self.init(letters: code)
        guard Self.digits[packed] != nil else { return nil }
    }

    /// Any three capital letters, as a row or an event has them.
    package init?(letters code: String) {
        var packed: UInt32 = 0
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else { return nil }
        for byte in code.utf8 {
            packed = (packed << 8) | UInt32(byte)
        }
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

    /// Whether wallets are opened in it: it is in ISO 4217 today.
    package var isActive: Bool { Self.activeCodes.contains(packed) }

    /// How many decimal digits the minor unit has: 2 where 100 cents are a euro; nil when the currency is in no list.
    package var minorUnitDigits: Int? { Self.digits[packed] }

    /// Every currency in which wallets are opened, in the order of the alphabet.
    package static let active: [Currency] = currencies(CurrencyList.active)

    /// Every currency that left ISO 4217, in the order of the alphabet.
    package static let withdrawn: [Currency] = currencies(CurrencyList.withdrawn)

    /// Every currency that a request may name, in the order of the alphabet.
    package static let all: [Currency] = (active + withdrawn).sorted { $0.packed < $1.packed }

    private static let activeCodes = Set(active.map(\.packed))

    private static let digits: [UInt32: Int] = {
        var digits = Dictionary(uniqueKeysWithValues: (active + withdrawn).map { ($0.packed, 2) })
        for (count, codes) in CurrencyList.unusualDigits {
            for currency in currencies(codes) { digits[currency.packed] = count }
        }
        return digits
    }()

    private static func currencies(_ codes: String) -> [Currency] {
        codes.split(separator: " ").compactMap { Currency(letters: String($0)) }
    }
}
