_base_ = 'mmaction::_base_/default_runtime.py'

# Registers everything of ours, and mends what today's torch needs of the stack.
custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)
# Compares labels, joints and channels of the data with the model, before training.
custom_hooks = [dict(type='CheckDataHook')]
default_hooks = dict(
    logger=dict(interval=100),
    # Written whole or not at all.
    checkpoint=dict(type='WholeCheckpointHook'),
    # A resumed run goes on as if it had never been interrupted.
    step_seed=dict(type='StepSeedHook'),
    # Stops at the first loss that is no number, with the samples' names.
    finite_loss=dict(type='FiniteLossHook'),
    # SIGTERM and SIGUSR1: saves a checkpoint and leaves.
    preemption=dict(type='PreemptionHook'))
