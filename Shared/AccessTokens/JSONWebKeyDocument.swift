import FoundationEssentials

/// A JSON Web Key Set as it stands on the wire, reduced to the keys that can verify ES256.
///
/// Keys of other types, curves and uses are passed over, as RFC 7517, section 5, asks; so are members that are not understood.
struct JSONWebKeyDocument {
    /// The usable points by `kid`, uncompressed (X9.63).
    let points: [String: [UInt8]]

    private static let maximumBytes = 256 * 1024
    private static let maximumKeys = 256
    private static let coordinateBytes = 32
    private static let uncompressedPoint: UInt8 = 0x04

    /// Reads a document.
    init(_ bytes: [UInt8]) throws(JSONWebKeySetError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge }
        guard let set = try? JSONDecoder().decode(KeySet.self, from: Data(bytes)) else { throw .malformed }
        guard set.keys.count <= Self.maximumKeys else { throw .tooLarge }
        var points: [String: [UInt8]] = [:]
        for key in set.keys.compactMap(\.key) {
            guard let id = key.kid, VerificationKey.isUsableID(id), let point = Self.point(of: key) else { continue }
            guard points.updateValue(point, forKey: id) == nil else { throw .ambiguousKeyID }
        }
        guard !points.isEmpty else { throw .noUsableKey }
        self.points = points
    }

    private static func point(of key: Key) -> [UInt8]? {
        guard key.kty == "EC", key.crv == "P-256", key.use ?? "sig" == "sig", key.alg ?? CompactToken.algorithm == CompactToken.algorithm,
            key.operations?.contains("verify") ?? true,
            let x = key.x.flatMap({ Base64URL.decode($0.utf8) }), x.count == coordinateBytes,
            let y = key.y.flatMap({ Base64URL.decode($0.utf8) }), y.count == coordinateBytes
        else { return nil }
        return [uncompressedPoint] + x + y
    }

    private struct KeySet: Decodable {
        let keys: [Member]
    }

    /// A key, or nothing where a member of the wrong type makes it unusable; the document's other keys are none the worse.
    private struct Member: Decodable {
        let key: Key?

        init(from decoder: any Decoder) throws {
            self.key = try? Key(from: decoder)
        }
    }

    private struct Key: Decodable {
        let kty, crv, use, alg, kid, x, y: String?
        let operations: [String]?

        private enum CodingKeys: String, CodingKey {
            case kty, crv, use, alg, kid, x, y
            case operations = "key_ops"
        }
    }
}
