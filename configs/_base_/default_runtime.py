_base_ = 'mmaction::_base_/default_runtime.py'

# Register the classes of msg3d and apply its compatibility fixes.
custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)
# Check that data and model are compatible before training.
custom_hooks = [dict(type='CheckDataHook')]
default_hooks = dict(
    logger=dict(interval=100),
    # Write checkpoints atomically.
    checkpoint=dict(type='WholeCheckpointHook'),
    # Make resumed runs identical to uninterrupted runs.
    step_seed=dict(type='StepSeedHook'),
    # Stop at the first loss that is not finite, and report the samples.
    finite_loss=dict(type='FiniteLossHook'),
    # Allocate memory once instead of in every step on a CPU.
    reuse_memory=dict(type='ReuseMemoryHook'),
    # Save a checkpoint and exit on SIGTERM or SIGUSR1.
    preemption=dict(type='PreemptionHook'))
