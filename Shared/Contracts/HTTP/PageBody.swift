package import StrictJSON

/// One page of a list; `next_cursor` is opaque and there is none on the last page.
package struct PageBody<Item: WireBody>: WireBody {
    package let items: [Item]
    package let nextCursor: String?

    package init(items: [Item], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        items = try object.items("data", count: 0...PageSize.maximum)
        nextCursor = try object.optionalText("next_cursor")
        guard try object.bool("has_more") == (nextCursor != nil) else { throw object.refusal("has_more", "Contradicts `next_cursor`.") }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in encodeMembers(into: &writer) }
    }

    /// The page as members of an object that has more of them.
    func encodeMembers(into writer: inout JSONWriter) {
        writer.name("data")
        writer.array { writer in
            for item in items { item.encode(into: &writer) }
        }
        if let nextCursor { writer.member("next_cursor", nextCursor) } else { writer.memberNull("next_cursor") }
        writer.member("has_more", nextCursor != nil)
    }
}

/// How many items a page has.
package enum PageSize {
    /// The largest `limit` that a caller can ask for.
    package static let maximum = 100
}
