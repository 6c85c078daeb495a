#!/bin/bash
# Turns a fresh Debian 12 into a worker's machine; a second run ends as the first did.
#
#   provision.sh --stage STAGE [--region REGION] SOURCE
#
# SOURCE holds the project's wheel, constraints.txt, and wheels of the user's own tasks, if any: a folder, or
# s3://BUCKET/PREFIX, which is read with the instance's role. The last line says how it went:
#   cloudkon-image: ready
#   cloudkon-image: failed: STEP
set -euo pipefail

readonly HOME_OF_ALL=/opt/cloudkon
readonly VENV=$HOME_OF_ALL/venv
readonly SETTINGS=/etc/cloudkon
readonly LOGS=/var/log/cloudkon
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/verify-CloudWatch-Agent-Package-Signature.html
readonly AGENT_KEY=937616F3450B7D806CBD9725D58167303B789C72

stage='' region='' source=''
readonly SUMS=/root/artifacts.sha256
step='arguments'
work=$(mktemp -d)
export DEBIAN_FRONTEND=noninteractive

main() {
    read_arguments "$@"
    begin packages
    install_packages
    begin artifacts
    fetch_artifacts
    begin worker
    add_user
    install_worker
    begin service
    install_service
    begin agents
    install_agents
    begin proof
    prove
    begin seal
    seal
}

say() { echo "cloudkon-image: $*"; }

begin() {
    step=$1
    say "step $step"
}

verdict() {
    local code=$?
    rm -rf "$work"
    if ((code == 0)); then say ready; else say "failed: $step"; fi
}
trap verdict EXIT

refuse() {
    echo "provision.sh: $*" >&2
    exit 2
}

read_arguments() {
    while (($#)); do
        case $1 in
            --stage) stage=${2-} ;;
            --region) region=${2-} ;;
            -*) refuse "there is no option $1" ;;
            *)
                source=$1
                shift
                continue
                ;;
        esac
        shift 2 || refuse "$1 needs a name"
    done
    [[ $stage =~ ^[a-z][a-z0-9-]*$ ]] || refuse '--stage: which one?'
    [[ $source ]] || refuse 'where is the wheel? Give a folder, or s3://BUCKET/PREFIX'
    [[ $source != s3://* || $region ]] || refuse '--region: where is that bucket?'
    ((EUID == 0)) || refuse 'run this as root'
}

on_an_instance() { [[ -d /run/systemd/system ]]; }

apt_get() {
    # The first boot's own apt may hold the lock.
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# No ffmpeg: PyAV's wheel brings the libraries of it that videos need, in the version it was built for.
install_packages() {
    apt_get update
    apt_get upgrade
    apt_get install --no-install-recommends ca-certificates curl gpg logrotate python3 python3-venv
    if [[ $source == s3://* ]] && ! python3 -c 'import boto3' 2>/dev/null; then
        apt_get install --no-install-recommends python3-boto3 # smaller than awscli, and signed by Debian like the rest
    fi
}

fetch_artifacts() {
    if [[ $source != s3://* ]]; then
        cp -- "$source"/* "$work"
    else
        AWS_DEFAULT_REGION=$region python3 - "$source" "$work" <<'PYTHON'
import os
import sys

import boto3

bucket, _, prefix = sys.argv[1].removeprefix("s3://").partition("/")
# Debian's boto3 does not yet look for the endpoint by itself.
s3 = boto3.client("s3", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/") + "/"):
    for entry in page.get("Contents", []):
        s3.download_file(bucket, entry["Key"], os.path.join(sys.argv[2], os.path.basename(entry["Key"])))
PYTHON
    fi
    verify_artifacts
    wheel=$(find "$work" -name 'cloudkon-*.whl' -print -quit)
    if [[ ! $wheel || ! -f $work/constraints.txt ]]; then
        echo "$source has no cloudkon-*.whl with a constraints.txt beside it" >&2
        return 1
    fi
}

# Whoever asked for the image has told the sums in the user data: nothing else is installed.
verify_artifacts() {
    [[ -f $SUMS ]] || return 0
    (cd "$work" && sha256sum --quiet --strict --check "$SUMS") || return 1
    local told
    told=$(wc -l <"$SUMS")
    if (($(find "$work" -type f | wc -l) != told)); then
        echo "$source has other files than the $told that were told" >&2
        return 1
    fi
}

add_user() {
    getent passwd cloudkon >/dev/null ||
        useradd --system --user-group --home-dir /var/lib/cloudkon --no-create-home --shell /usr/sbin/nologin cloudkon
}

install_worker() {
    install -d -m 755 "$HOME_OF_ALL" "$SETTINGS"
    python3 -m venv --clear "$VENV"
    local own=()
    mapfile -d '' own < <(find "$work" -name '*.whl' ! -name 'cloudkon-*.whl' -print0)
    # The wheel was checked, and tells the sums of all that it needs. Only wheels of the user's own may need more.
    python3 -m zipfile --extract "$wheel" "$work/unpacked"
    pip_install --require-hashes --only-binary :all: --requirement "$work/unpacked/ec2_worker/ami/requirements.txt"
    pip_install --no-index "${wheel}[animoto,xray]"
    if ((${#own[@]})); then pip_install --constraint "$work/constraints.txt" "${own[@]}"; fi
    kept=$("$VENV/bin/python" -c 'import ec2_worker, pathlib; print(pathlib.Path(ec2_worker.__file__).parent / "ami")')
}

pip_install() {
    "$VENV/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check "$@"
}

install_service() {
    install -d -m 755 -o cloudkon -g cloudkon "$LOGS"
    # Before systemd opens it as root: so that logrotate may cut it as its owner.
    [[ -e $LOGS/worker.log ]] || install -m 644 -o cloudkon -g cloudkon /dev/null "$LOGS/worker.log"
    install -d -m 755 /etc/systemd/system/cloudkon-.service.d
    install -m 644 "$kept/confinement.conf" /etc/systemd/system/cloudkon-.service.d/
    install -m 644 "$kept/cloudkon-worker.service" "$kept/cloudkon-check.service" /etc/systemd/system/
    install -m 644 "$kept/logrotate.conf" /etc/logrotate.d/cloudkon
    if on_an_instance; then systemctl daemon-reload; fi
    systemctl --quiet enable cloudkon-worker.service
}

# Without an agent a worker works: what is missing is said, and is no failure.
install_agents() {
    local architecture
    architecture=$(dpkg --print-architecture)
    if [[ ! $region ]]; then
        say 'without: the agents for logs, traces and shell access (no --region)'
        return
    fi
    install_cloudwatch_agent "https://amazoncloudwatch-agent-$region.s3.$region.amazonaws.com/debian/$architecture/latest" ||
        say 'without: logs and traces (the CloudWatch agent is not to be had, or its signature is wrong)'
    install_ssm_agent "https://s3.$region.amazonaws.com/amazon-ssm-$region/latest/debian_$architecture" ||
        say 'without: shell access by Session Manager (its agent is not to be had)'
}

# One agent ships the log and takes in traces, as the X-Ray daemon would.
install_cloudwatch_agent() {
    local folder=$work/agent fingerprint
    mkdir "$folder"
    download "$folder/agent.deb" "$1/amazon-cloudwatch-agent.deb" || return 1
    download "$folder/agent.deb.sig" "$1/amazon-cloudwatch-agent.deb.sig" || return 1
    download "$folder/key" https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg || return 1
    export GNUPGHOME=$folder
    fingerprint=$(gpg --batch --quiet --with-colons --show-keys "$folder/key" | awk -F: '/^fpr/ { print $10; exit }')
    [[ $fingerprint == "$AGENT_KEY" ]] || return 1
    gpg --batch --quiet --yes --output "$folder/keyring" --dearmor "$folder/key" || return 1
    gpgv --quiet --keyring "$folder/keyring" "$folder/agent.deb.sig" "$folder/agent.deb" || return 1
    apt_get install "$folder/agent.deb" || return 1
    sed "s|@STAGE@|$stage|" "$kept/agent.json" >/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json
    systemctl --quiet enable amazon-cloudwatch-agent.service
}

# Its key is published in the text of a page only: that it comes from AWS's own bucket, TLS says.
install_ssm_agent() {
    local package=$work/amazon-ssm-agent.deb
    download "$package" "$1/amazon-ssm-agent.deb" || return 1
    apt_get install "$package" || return 1
    systemctl --quiet enable amazon-ssm-agent.service
}

download() { curl --fail --silent --show-error --location --proto =https --connect-timeout 10 --retry 2 --output "$1" "$2"; }

# On an instance: in the very confinement that a worker has.
prove() {
    if on_an_instance; then
        local code=0
        systemctl start cloudkon-check.service || code=$?
        journalctl --no-pager --output cat --boot --unit cloudkon-check.service
        return "$code"
    fi
    (cd / && setpriv --reuid cloudkon --regid cloudkon --clear-groups --no-new-privs \
        env -i HOME=/ "$VENV/bin/python" -m ec2_worker --check)
}

# What a copy of this machine must not share with it, and need not carry.
seal() {
    "$VENV/bin/python" -m pip list --format freeze --disable-pip-version-check >"$SETTINGS/image.txt"
    apt-get clean
    rm -rf /var/lib/apt/lists/*
    : >/etc/machine-id
    rm -f /var/lib/dbus/machine-id
}

main "$@"
