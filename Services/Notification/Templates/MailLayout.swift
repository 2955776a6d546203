/// The two forms of every mail, in mustache. In the text three braces leave a value as it is; in HTML two braces escape it.
enum MailLayout {
    static let text = """
        {{{greeting}}}

        {{#paragraphs}}
        {{{.}}}

        {{/paragraphs}}
        {{#code}}
        {{{codeLabel}}}: {{{code}}}

        {{/code}}
        {{#hasDetails}}
        {{#details}}
        {{{label}}}: {{{value}}}
        {{/details}}

        {{/hasDetails}}
        {{#link}}
        {{{linkLabel}}}: {{{link}}}

        {{/link}}
        {{{closing}}}

        --\u{20}
        {{{signature}}}
        """

    /// Tables and inline styles, for that is what mail programs show alike; colours that keep their contrast in the dark.
    static let html = """
        <!doctype html>
        <html lang="{{language}}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark">
        <title>{{subject}}</title>
        </head>
        <body style="margin:0;padding:0;background:#f2f3f5">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f3f5">
        <tr><td align="center" style="padding:24px 12px">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border-radius:12px">
        <tr><td style="padding:32px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:#1b1f24">
        <p style="margin:0 0 24px;font-weight:700;font-size:18px;color:#0b5d4e">Florin</p>
        <h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">{{subject}}</h1>
        <p style="margin:0 0 16px">{{greeting}}</p>
        {{#paragraphs}}
        <p style="margin:0 0 16px">{{.}}</p>
        {{/paragraphs}}
        {{#code}}
        <p style="margin:0 0 4px;font-size:14px;color:#57606a">{{codeLabel}}</p>
        <p style="margin:0 0 16px;font:700 28px/1.4 ui-monospace,Consolas,monospace;letter-spacing:4px">{{code}}</p>
        {{/code}}
        {{#hasDetails}}
        <table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 16px">
        {{#details}}
        <tr><td style="padding:2px 16px 2px 0;color:#57606a">{{label}}</td><td style="padding:2px 0">{{value}}</td></tr>
        {{/details}}
        </table>
        {{/hasDetails}}
        {{#link}}
        <p style="margin:0 0 16px"><a href="{{link}}" style="display:inline-block;padding:12px 20px;border-radius:8px;
        background:#0b5d4e;color:#ffffff;text-decoration:none;font-weight:600">{{linkLabel}}</a></p>
        {{/link}}
        <p style="margin:0 0 16px">{{closing}}</p>
        <p style="margin:24px 0 0;padding:16px 0 0;border-top:1px solid #d8dee4;font-size:13px;color:#57606a">{{signature}}</p>
        </td></tr>
        </table>
        </td></tr>
        </table>
        </body>
        </html>
        """
}
