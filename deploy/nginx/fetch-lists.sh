#!/bin/sh
# Fetches Suido's revocation lists for a proxy, if there are new ones, and then runs the command that is given:
#   fetch-lists.sh <Suido's VA address> <folder> [command to reload the proxy...]
# The folder holds ca.pem; lists.pem is replaced there as a whole, and only by lists that one of these CAs has signed and
# that have not expired. Whatever goes wrong leaves the lists before in force, says why and ends non-zero.
# Needs curl 7.70 or later and openssl.
set -eu
url=$1
folder=$2
shift 2
new=$(mktemp -d "$folder/.lists.XXXXXX")
trap 'rm -rf "$new"' EXIT

# The tag of the lists that are in force: the answer to the same tag is empty.
if [ -s "$folder/lists.pem" ] && [ -s "$folder/lists.etag" ]; then cp "$folder/lists.etag" "$new/tag"; fi
curl --fail --silent --show-error --max-time 30 --etag-compare "$new/tag" --etag-save "$new/tag.new" \
  --output "$new/lists.pem" "$url/crl/bundle.pem"
[ -s "$new/lists.pem" ] || exit 0

awk -v folder="$new" '/-----BEGIN X509 CRL-----/ { n++ } n { print > (folder "/" n ".crl") }' "$new/lists.pem"
for list in "$new"/*.crl; do
  openssl crl -in "$list" -CAfile "$folder/ca.pem" -noout 2>"$new/said" || { cat "$new/said" >&2; exit 1; }
  until=$(openssl crl -in "$list" -noout -nextupdate | cut -d= -f2)
  [ "$(date -d "$until" +%s)" -gt "$(date +%s)" ] || { echo "a list has expired: $until" >&2; exit 1; }
done

chmod 644 "$new/lists.pem"
sync "$new/lists.pem"
mv "$new/lists.pem" "$folder/lists.pem"
mv "$new/tag.new" "$folder/lists.etag"
[ $# -eq 0 ] || "$@"
