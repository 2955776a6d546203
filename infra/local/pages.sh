#!/usr/bin/env bash
# pages.sh: a picture of every page that identity shows a person, in each state and language, as phone and desktop show it, light and dark:
# .local/pages.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

gallery=$FLORIN_REPOSITORY/.local/pages
rm -rf "$gallery"
mkdir -p "$gallery"
FLORIN_PAGES=$gallery "$LOCAL_SCRIPTS/test.sh" --filter '^IdentityTests\.PageBrowserTests/'
say "$(find "$gallery" -name '*.png' | wc -l) pictures in $gallery"
