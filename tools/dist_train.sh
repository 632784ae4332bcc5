#!/usr/bin/env bash
# Train with several processes per node:
#
#     tools/dist_train.sh CONFIG GPUS [options of msg3d train]
#
# With several nodes, set NNODES, NODE_RANK, MASTER_ADDR, and PORT, and run it on each node.
set -eu
config=$1 gpus=$2
exec torchrun \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$gpus" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "${@:3}"
