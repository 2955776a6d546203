import Contracts

/// Roughly what a currency's unit is worth, so that one threshold can stand for all that are not named.
///
/// By the number of decimal digits alone 10 000 dong would count as much as 10 000 euros. Powers of ten are near enough for a threshold
/// that asks a person to look, and stay right for years; where more is wanted, the setting names the currency.
enum CurrencyWorth {
    /// By how many powers of ten more units than of the euro make the same worth, rounded, as of 2026. Others are like the euro.
    private static let orders: [Currency: Int] = {
        let table = [
            (1, "AED BOB BRL BWP BYN CNY CUP CZK DKK ERN GEL GHS GTQ HKD HNL HRK ILS LSL LYD MAD MDL MOP MVR MXN MYR NAD NOK PEN PGK PLN"),
            (1, "QAR RON SAR SCR SEK SLE STN SZL TJS TMT TND TTD ZAR ZMW ZWG"),
            (2, "AFN ALL BDT BTN CVE DJF DOP DZD EGP ETB GMD GYD HTG INR ISK JMD JPY KES KGS LRD MKD MRU MUR MZN NIO NPR PHP RSD RUB SRD"),
            (2, "THB TRY TWD UAH UYU VED VES VUV XPF YER"),
            (3, "AMD AOA ARS CDF CLP CRC HUF IQD KMF KPW KRW KZT LKR MMK MWK NGN PKR RWF SDG SOS TZS XAF XOF"),
            (4, "BIF COP GNF IDR KHR LAK MGA MNT PYG SSP SYP UGX UZS VND"),
            (5, "IRR LBP"),
        ]
        return table.reduce(into: [:]) { orders, row in
            for currency in row.1.split(separator: " ").compactMap({ Currency(String($0)) }) { orders[currency] = row.0 }
        }
    }()

    /// What hundredths of a euro are in minor units of the currency, at least 1.
    static func minorUnits(ofHundredths hundredths: Int64, _ currency: Currency) -> Int64 {
        let power = (currency.minorUnitDigits ?? 2) - 2 + (orders[currency] ?? 0)
        var amount = hundredths
        for _ in 0..<power.magnitude {
            if power < 0 {
                amount /= 10
            } else {
                let (more, overflow) = amount.multipliedReportingOverflow(by: 10)
                amount = overflow ? MinorUnits.maximum : more
            }
        }
        return min(max(amount, 1), MinorUnits.maximum)
    }
}
