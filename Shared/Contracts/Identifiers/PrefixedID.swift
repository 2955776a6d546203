package import FoundationEssentials

/// What an identifier names; its prefix makes a mixed-up id visible to people and refusable by machines.
package protocol IdentifierKind: Sendable {
    static var prefix: String { get }
}

/// An identifier of one kind: a UUIDv7, written as `prefix_` and 26 digits of lower-case Crockford base32.
///
/// In Postgres it is a plain `uuid`. Two kinds never compare, so a transfer id can't be passed where a wallet id is wanted.
package struct PrefixedID<Kind: IdentifierKind>: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let uuid: UUID

    package init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// Reads the written form; `nil` for another prefix, another length, or a digit outside the alphabet.
    package init?(_ text: some StringProtocol) {
        let prefix = Kind.prefix
        var bytes = Array(text.utf8)
        guard bytes.count == prefix.utf8.count + 1 + CrockfordBase32.digitCount, bytes.starts(with: prefix.utf8),
            bytes[prefix.utf8.count] == UInt8(ascii: "_")
        else { return nil }
        bytes.removeFirst(prefix.utf8.count + 1)
        guard let uuid = CrockfordBase32.decode(bytes) else { return nil }
        self.uuid = uuid
    }

    package var description: String {
        String(unsafeUninitializedCapacity: Kind.prefix.utf8.count + 1 + CrockfordBase32.digitCount) { buffer in
            var index = 0
            for byte in Kind.prefix.utf8 {
                buffer[index] = byte
                index += 1
            }
            buffer[index] = UInt8(ascii: "_")
            CrockfordBase32.encode(uuid, into: UnsafeMutableBufferPointer(rebasing: buffer[(index + 1)...]))
            return index + 1 + CrockfordBase32.digitCount
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.uuid < right.uuid
    }
}

package enum UserKind: IdentifierKind { package static let prefix = "usr" }
package enum SessionKind: IdentifierKind { package static let prefix = "ses" }
package enum DeviceKind: IdentifierKind { package static let prefix = "dev" }
package enum WalletKind: IdentifierKind { package static let prefix = "wal" }
package enum TransferKind: IdentifierKind { package static let prefix = "trf" }
package enum HoldKind: IdentifierKind { package static let prefix = "hld" }
package enum EntryKind: IdentifierKind { package static let prefix = "ent" }
package enum AlertKind: IdentifierKind { package static let prefix = "alr" }
package enum MessageKind: IdentifierKind { package static let prefix = "msg" }
package enum EventKind: IdentifierKind { package static let prefix = "evt" }

package typealias UserID = PrefixedID<UserKind>
package typealias SessionID = PrefixedID<SessionKind>
package typealias DeviceID = PrefixedID<DeviceKind>
package typealias WalletID = PrefixedID<WalletKind>
package typealias TransferID = PrefixedID<TransferKind>
package typealias HoldID = PrefixedID<HoldKind>
package typealias EntryID = PrefixedID<EntryKind>
package typealias AlertID = PrefixedID<AlertKind>
package typealias MessageID = PrefixedID<MessageKind>
package typealias EventID = PrefixedID<EventKind>
