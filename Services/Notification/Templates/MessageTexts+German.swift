import Contracts

extension MessageTexts {
    static let german = MessageTexts(
        labels: Labels(
            greeting: "Guten Tag,", greetingBeforeName: "Guten Tag", code: "Ihr Code", validUntil: "Gültig bis", device: "Gerät", place: "Ort",
            time: "Zeit", change: "Änderung",
            signature:
                "Diese Nachricht wurde automatisch versandt; Antworten werden nicht gelesen. Florin fragt nie am Telefon oder per E-Mail nach einem "
                + "Code oder Passwort."),
        messages: [
            .registrationCode: Message(
                subject: "Bestätigen Sie Ihre E-Mail-Adresse",
                paragraphs: ["Geben Sie diesen Code ein, um Ihre E-Mail-Adresse zu bestätigen und Ihr Konto anzulegen."], linkLabel: "Code eingeben",
                closing: "Wenn Sie kein Konto anlegen wollten, ignorieren Sie diese Nachricht: Ohne den Code entsteht keines."),
            .addressTaken: Message(
                subject: "Sie haben bereits ein Konto",
                paragraphs: [
                    "Jemand wollte mit dieser E-Mail-Adresse ein Konto anlegen, zu der es bereits eines gibt.",
                    "Wenn Sie das waren, melden Sie sich an, oder setzen Sie Ihr Passwort zurück, falls Sie es vergessen haben.",
                ], linkLabel: "Anmelden", closing: "Wenn Sie das nicht waren, ist nichts zu tun: Ihr Konto ist unverändert."),
            .recoveryCodeMail: Message(
                subject: "Setzen Sie Ihr Passwort zurück", paragraphs: ["Geben Sie diesen Code ein, um ein neues Passwort zu wählen."],
                linkLabel: "Code eingeben",
                closing: "Wenn Sie das nicht angefordert haben, ignorieren Sie diese Nachricht: Ohne den Code bleibt Ihr Passwort, wie es ist."),
            .newDevice: Message(
                subject: "Neue Anmeldung an Ihrem Konto",
                paragraphs: ["An Ihrem Konto hat sich jemand mit einem Gerät angemeldet, das wir noch nicht kannten."], linkLabel: "Geräte prüfen",
                closing: "Wenn Sie das nicht waren, beenden Sie die Sitzung und ändern Sie jetzt Ihr Passwort."),
            .passwordChanged: Message(
                subject: "Ihr Passwort wurde geändert",
                paragraphs: ["Das Passwort Ihres Kontos wurde geändert, und alle anderen Sitzungen wurden beendet."], linkLabel: "Konto prüfen",
                closing: "Wenn Sie das nicht waren, setzen Sie Ihr Passwort jetzt zurück."),
            .mfaChanged: Message(
                subject: "Die Sicherheit Ihrer Anmeldung wurde geändert",
                paragraphs: ["Der zweite Schritt der Anmeldung an Ihrem Konto wurde geändert."],
                linkLabel: "Konto prüfen", closing: "Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort und wenden Sie sich an uns."),
            .accountRecovered: Message(
                subject: "Ihr Konto wurde wiederhergestellt",
                paragraphs: ["Mit einem Code aus einer E-Mail an diese Adresse wurde ein neues Passwort gesetzt, und alle Sitzungen wurden beendet."],
                linkLabel: "Konto prüfen", closing: "Wenn Sie das nicht waren, wenden Sie sich jetzt an uns."),
            .accountDisabled: Message(
                subject: "Ihr Konto wurde gesperrt", paragraphs: ["Ihr Konto wurde gesperrt, und alle Sitzungen wurden beendet."],
                linkLabel: "Mehr dazu", closing: "Wenn Sie nicht wissen, warum, wenden Sie sich an uns."),
            .accountDeleted: Message(
                subject: "Ihr Konto wurde gelöscht", paragraphs: ["Ihr Konto und die persönlichen Daten darin wurden wie gewünscht gelöscht."],
                linkLabel: "Mehr dazu", closing: "Wenn Sie das nicht wollten, wenden Sie sich jetzt an uns."),
            .staffInvitation: Message(
                subject: "Richten Sie Ihr Mitarbeiterkonto ein",
                paragraphs: [
                    "Für Sie wurde ein Mitarbeiterkonto angelegt. Es hat noch kein Passwort.",
                    "Um eines zu setzen, wählen Sie auf der Anmeldeseite „Passwort vergessen?“; dann kommt ein Code an diese Adresse.",
                ], linkLabel: "Anmelden", closing: "Wenn Sie das nicht erwartet haben, wenden Sie sich an Ihre IT-Administration."),
        ],
        changes: [
            .totpAdded: "Eine Authenticator-App wurde hinzugefügt", .totpRemoved: "Die Authenticator-App wurde entfernt",
            .recoveryCodesReplaced: "Neue Wiederherstellungscodes wurden erstellt", .recoveryCodeUsed: "Ein Wiederherstellungscode wurde verwendet",
        ])
}
