#!/bin/sh
# Rebuilds static/vendor/ from the packages pinned in package-lock.json. Needs Node 20+ and npm; run it after a version bump,
# then commit static/vendor/. Nothing else in the project needs Node.
set -eu
cd "$(dirname "$0")"
out=../static/vendor
npm ci --no-audit --no-fund --ignore-scripts

mkdir -p "$out"
rm -f "$out"/*
version() { node -p "require('./node_modules/$1/package.json').version"; }

cp node_modules/bootstrap/dist/css/bootstrap-reboot.min.css "$out/bootstrap-reboot.min.css"
# The map files are not shipped, so the pointers to them go as well: a manifest storage would look for them.
sed -i '/sourceMappingURL/d' "$out/bootstrap-reboot.min.css"
cp node_modules/htmx.org/dist/htmx.min.js "$out/htmx.min.js"
for part in latin latin-ext; do
    cp "node_modules/@fontsource-variable/inter/files/inter-$part-wght-normal.woff2" "$out/inter-$part.woff2"
done
# node finds three by walking up from viewer/ to scripts/node_modules.
node node_modules/esbuild/bin/esbuild viewer/viewer.js --bundle --minify --format=esm --target=es2020 \
    --legal-comments=none --banner:js="/* three.js $(version three), MIT: see LICENSES.txt */" --outfile="$out/viewer.js"

{
    printf '# Third-party browser files\n\nBuilt by `scripts/vendor.sh` from the versions pinned in `scripts/package-lock.json`. Do not edit by hand.\n\n'
    printf '| file | package | version | licence |\n|---|---|---|---|\n'
    printf '| bootstrap-reboot.min.css | bootstrap | %s | MIT |\n' "$(version bootstrap)"
    printf '| htmx.min.js | htmx.org | %s | 0BSD |\n' "$(version htmx.org)"
    printf '| inter-latin.woff2, inter-latin-ext.woff2 | @fontsource-variable/inter | %s | OFL-1.1 |\n' "$(version @fontsource-variable/inter)"
    printf '| viewer.js | three (bundled with scripts/viewer/ by esbuild %s) | %s | MIT |\n' "$(version esbuild)" "$(version three)"
} > "$out/README.md"
{
    for package in bootstrap htmx.org @fontsource-variable/inter three; do
        printf '==== %s %s ====\n\n' "$package" "$(version "$package")"
        cat "node_modules/$package/LICENSE"
        printf '\n\n'
    done
} > "$out/LICENSES.txt"
echo "static/vendor/ rebuilt:"
wc -c "$out"/*
