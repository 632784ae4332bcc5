#!/usr/bin/env bash
# Train on a Slurm cluster:
#
#     GPUS=8 tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of msg3d train]
#
# GPUS, GPUS_PER_NODE, CPUS_PER_TASK, and SRUN_ARGS are environment variables.
set -eu
partition=$1 job_name=$2 config=$3
gpus=${GPUS:-8} per_node=${GPUS_PER_NODE:-8}
((per_node <= gpus)) || per_node=$gpus
exec python -u "$(dirname "$0")/train.py" "$config" --launcher slurm \
    --partition "$partition" --gpus "$gpus" --gpus-per-node "$per_node" \
    --cpus-per-task "${CPUS_PER_TASK:-5}" \
    --srun-args "--job-name=$job_name ${SRUN_ARGS:-}" "${@:4}"
