#!/bin/sh
# deb.sh ROOT PACKAGE VERSION OUT - a Debian package of what lies under ROOT, into OUT
#
# What debhelper would do to a tree like this: binaries stripped, manuals and changelog compressed, libraries found
# by dpkg-shlibdeps, sums, control files. The unit's own commands run when systemd is there.
set -eu
: "${MAINTAINER:=the weft authors <weft@localhost.localdomain>}"
root=$1 package=$2 version=$3 out=$4
here=$(dirname "$0")
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}"

case $package in
weft)
	more="Recommends: iproute2
Suggests: weft-sim, tcpdump"
	text="peer-to-peer virtual Ethernet without servers
 weft-node makes this machine a member of virtual networks that need no server:
 a structured overlay finds the way through NATs, ARP, ND, DHCP and DNS are
 answered at the edge, and addresses are leased by a distributed hash table.
 weftctl makes overlays and their members, and asks running nodes."
	;;
weft-sim)
	more="Recommends: gnuplot-nox
Suggests: weft"
	text="simulator of the weft overlay
 weft-sim runs up to a million nodes of the overlay that weft-node runs, under a
 virtual clock, over modelled networks and churn, and gets the same bytes out
 for the same seed. weft-report makes figures of what it leaves."
	;;
esac

find "$root" -type f -perm -100 -exec strip --remove-section=.comment --remove-section=.note {} +
doc=$root/usr/share/doc/$package
install -D -m 644 "$here/copyright" "$doc/copyright"
cat >"$doc/changelog" <<EOF
$package ($version) unstable; urgency=medium

  * Built from the source tree; its history says what changed.

 -- $MAINTAINER  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
EOF
chmod 644 "$doc/changelog"
find "$root/usr/share/man" "$doc/changelog" -type f -exec gzip -9n {} +

mkdir -p "$root/DEBIAN" "$root/../shlibdeps/debian"
printf 'Source: weft\n\nPackage: %s\nArchitecture: any\n' "$package" >"$root/../shlibdeps/debian/control"
depends=$(cd "$root/../shlibdeps" && dpkg-shlibdeps -O $(find "../$package" -type f -perm -100 -path '*bin/*' | sed 's/^/-e/') 2>/dev/null |
	sed -n 's/^shlibs:Depends=//p')
cat >"$root/DEBIAN/control" <<EOF
Package: $package
Version: $version
Architecture: $arch
Maintainer: $MAINTAINER
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends
$more
Section: net
Priority: optional
Description: $text
EOF
(cd "$root" && find . -type f ! -path './DEBIAN/*' | LC_ALL=C sort | sed 's|^\./||' | xargs md5sum) >"$root/DEBIAN/md5sums"
if [ -d "$root/lib/systemd" ]; then
	for when in postinst prerm postrm; do install -m 755 "$here/$when" "$root/DEBIAN/$when"; done
fi
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -b "$root" "$out/${package}_${version}_$arch.deb" >/dev/null
echo "  DEB   $out/${package}_${version}_$arch.deb"
