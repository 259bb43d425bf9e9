#!/usr/bin/env bash
# A real Asterisk for the tests: Debian's packages, unpacked into a folder. The system stays as it is, and nobody needs to be root.
# usage: asterisk.sh FOLDER       FOLDER/root is the root of it; what is there already is left alone
set -euo pipefail
folder=$1
[ -e "$folder/ready" ] && exit 0
apt=$folder/apt
rm -rf "$folder/root" "$apt"
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$folder/root"
arch=$(dpkg --print-architecture)

# Libraries of modules that no test loads: apt takes them for installed. One that has another name by now is fetched, too.
unused="adduser libpopt0 libcodec2-1.2 libglib2.0-0t64 libgmime-3.0-0t64 libical3t64 libiksemel3 libjack-jackd2-0 libjwt2
  liblua5.1-0 libneon27t64 libodbc2 libogg0 libopencore-amrnb0 libopencore-amrwb0 libopus0 libopusenc0 libopusfile0
  libportaudio2 libpq5 libradcli4 libresample1 libsnmp45 libspandsp2t64 libspeex1 libspeexdsp1 libsrtp2-1 libsybdb5
  libunbound8 libvo-amrwbenc0 libvorbis0a libvorbisenc2 libvorbisfile3"
for name in $unused; do
  printf '%s\n' "Package: $name" "Status: install ok installed" "Architecture: $arch" "Version: 99:0" "Multi-Arch: same" \
    "Maintainer: nobody <nobody@localhost>" "Description: not needed" ""
done > "$apt/status"

mirror=$(apt-get indextargets --format '$(CREATED_BY) $(REPO_URI)' | awk '$1 == "Packages" { print $2 }' | grep -v security | head -n 1)
if [ -z "$mirror" ]; then
  echo "apt knows no mirror of Debian to take Asterisk from" >&2
  exit 1
fi
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror testing main" > "$apt/sources.list"
cat > "$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
CONF
export APT_CONFIG=$apt/apt.conf
apt-get -qq update
apt-get -qq -y --download-only install asterisk
for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
rm -rf "$apt"
touch "$folder/ready"
