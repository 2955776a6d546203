#!/usr/bin/env python3
"""mails.py FOLDER [--json] [--last N]: shows the mails that a local SMTP server has kept in a Maildir, the latest last.

Without --json the text of each is printed as a person would read it; with it one object a line, which the tests read.
"""
import argparse
import email
import email.policy
import json
import pathlib
import sys


def mails(folder):
    """Each mail's bytes and parsed form, in the order of arrival."""
    files = [path for part in ("new", "cur") for path in (folder / part).glob("*")]
    for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        raw = path.read_bytes()
        yield raw, email.message_from_bytes(raw, policy=email.policy.default)


def part(message, kind):
    body = message.get_body(preferencelist=(kind,))
    return body.get_content() if body is not None else None


def as_json(raw, message):
    return json.dumps(
        {
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": part(message, "plain"),
            "html": part(message, "html"),
            "raw": raw.decode("utf-8", "replace"),
        },
        ensure_ascii=False,
    )


def as_text(message):
    head = "\n".join(f"{name}: {message[name]}" for name in ("Date", "From", "To", "Subject", "Message-ID"))
    return f"{'=' * 78}\n{head}\n{'-' * 78}\n{part(message, 'plain')}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--last", type=int, default=0, metavar="N")
    options = arguments.parse_args()
    found = list(mails(options.folder))
    for raw, message in found[-options.last:] if options.last else found:
        print(as_json(raw, message) if options.json else as_text(message))
    if not found and not options.json:
        print("no mails yet", file=sys.stderr)


if __name__ == "__main__":
    main()
