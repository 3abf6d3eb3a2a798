#!/bin/sh
# Makes the release of HEAD in two clones with different paths, and compares all bytes. The argument is the list of
# platforms. The clones stay in build/reproduce if they differ.
set -eu

rm -rf build/reproduce
mkdir -p build/reproduce
for clone in a another; do
  git clone --quiet . "build/reproduce/$clone"
  make --silent -C "build/reproduce/$clone" release PLATFORMS="$1"
done
diff -r build/reproduce/a/dist build/reproduce/another/dist
(cd build/reproduce/a/dist && sha256sum --check --quiet SHA256SUMS)
echo "Two releases of HEAD have the same $(find build/reproduce/a/dist -type f | wc -l) files."
rm -rf build/reproduce
