#!/usr/bin/env bash
# Build, test, and benchmark the package with the Python and torch of this machine instead of
# the pinned versions of `make`.
#
#   tools/try_machine.sh [OUT]         writes results to OUT (default: work_dirs/machine)
#
#   PYTHON=python3.12    interpreter (default: python3); its torch is used if installed
#   WHEELS=DIR           install only from this folder, without network
#   TESTS="tests/models" tests to run (default: all tests)
#   BENCHMARK_ARGS="..." options of `python -m benchmarks speed` (default: the defaults of
#                        the command on a CPU, those of docs/performance.md on a GPU)
set -uo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-$repository/work_dirs/machine}")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
mkdir -p "$out"
status=0

step() { # NAME COMMAND...: run a command, write OUT/NAME.log, and report the status
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$out/$name.log" 2>&1; then
        echo "$name: passed in $((SECONDS - start)) s"
    else
        status=1
        echo "$name: FAILED after $((SECONDS - start)) s. End of $out/$name.log:"
        tail -n 15 "$out/$name.log"
        return 1
    fi
}

build() {
    local source=()
    [ -z "${WHEELS:-}" ] || source=(--no-index --find-links "$(realpath "$WHEELS")")
    # Build a copy because building creates folders next to the source.
    git -C "$repository" ls-files -z | (cd "$repository" && xargs -0 cp -P --parents -t "$build/copy") &&
        "${PYTHON:-python3}" -m venv --system-site-packages "$build/venv" &&
        "$build/venv/bin/python" -m pip install "${source[@]}" "$build/copy[dev,plot]" &&
        "$build/venv/bin/python" -m pip freeze >"$out/versions.txt"
}

mkdir "$build/copy"
step build build || exit 1
python=$build/venv/bin/python
export PATH=$build/venv/bin:$PATH
step machine "$python" -c 'import sys, torch, numpy
print("Python", sys.version.split()[0], "torch", torch.__version__, "numpy", numpy.__version__)
gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
print("GPUs:", ", ".join(gpus) or "none")' && cat "$out/machine.log"
cd "$build/copy" || exit 1
# shellcheck disable=SC2086 -- several words
step tests "$python" -m pytest -q -n auto --dist loadfile ${TESTS:-}
tail -n 1 "$out/tests.log"
if [ -z "${BENCHMARK_ARGS:-}" ] && ! grep -q "GPUs: none" "$out/machine.log"; then
    BENCHMARK_ARGS="--device cuda --batch 16 64 --dtypes float32 tf32 bfloat16
        --modes eager compiled cudagraphs"
fi
# shellcheck disable=SC2086
step benchmark "$python" -m benchmarks speed ${BENCHMARK_ARGS:-} --output "$out/benchmark.json"
echo "results: $out"
exit $status
