package import Contracts

/// An earlier posting as a refund needs to know it. Nothing of it ever changes.
package struct OriginalTransfer: Sendable, Hashable {
    package let id: TransferID
    package let kind: PostingKind
    package let money: Money
    package let sourceWalletID: WalletID
    package let destinationWalletID: WalletID

    package init(id: TransferID, kind: PostingKind, money: Money, sourceWalletID: WalletID, destinationWalletID: WalletID) {
        self.id = id
        self.kind = kind
        self.money = money
        self.sourceWalletID = sourceWalletID
        self.destinationWalletID = destinationWalletID
    }
}

/// What somebody wants posted.
package struct PostingOrder: Sendable, Hashable {
    /// The id that the posting will have; chosen before the first try, so that a batch that runs again posts the same.
    package let transferID: TransferID
    package let kind: PostingKind
    package let sourceWalletID: WalletID
    package let destinationWalletID: WalletID
    package let money: Money
    package let reference: String?
    package let original: OriginalTransfer?
    /// The hold that a capture takes from.
    package let holdID: HoldID?
    package let access: WalletAccess

    private init(
        transferID: TransferID, kind: PostingKind, source: WalletID, destination: WalletID, money: Money, reference: String?,
        original: OriginalTransfer? = nil, holdID: HoldID? = nil, access: WalletAccess
    ) {
        self.transferID = transferID
        self.kind = kind
        sourceWalletID = source
        destinationWalletID = destination
        self.money = money
        self.reference = reference
        self.original = original
        self.holdID = holdID
        self.access = access
    }

    package static func transfer(_ request: TransferRequest, id: TransferID, access: WalletAccess) -> PostingOrder {
        PostingOrder(
            transferID: id, kind: .transfer, source: request.sourceWalletID, destination: request.destinationWalletID,
            money: request.money, reference: request.reference, access: access)
    }

    package static func deposit(_ request: FundingRequest, id: TransferID, access: WalletAccess) -> PostingOrder {
        let world = WorldWallet.opposite(request.walletID, currency: request.money.currency)
        return PostingOrder(
            transferID: id, kind: .deposit, source: world, destination: request.walletID, money: request.money,
            reference: request.reference, access: access)
    }

    package static func withdrawal(_ request: FundingRequest, id: TransferID, access: WalletAccess) -> PostingOrder {
        let world = WorldWallet.opposite(request.walletID, currency: request.money.currency)
        return PostingOrder(
            transferID: id, kind: .withdrawal, source: request.walletID, destination: world, money: request.money,
            reference: request.reference, access: access)
    }

    /// A refund goes the original's way back.
    package static func refund(_ request: RefundRequest, of original: OriginalTransfer, id: TransferID, access: WalletAccess) -> PostingOrder {
        PostingOrder(
            transferID: id, kind: .refund, source: original.destinationWalletID, destination: original.sourceWalletID,
            money: request.money ?? original.money, reference: request.reference, original: original, access: access)
    }

    /// A capture moves what was held to the wallet that it was held for.
    static func capture(_ money: Money, of hold: HoldTerms, reference: String?, id: TransferID, access: WalletAccess) -> PostingOrder {
        PostingOrder(
            transferID: id, kind: .capture, source: hold.walletID, destination: hold.destinationWalletID, money: money,
            reference: reference, holdID: hold.id, access: access)
    }

    /// The wallets to lock.
    package var walletIDs: [WalletID] { [sourceWalletID, destinationWalletID] }
}
