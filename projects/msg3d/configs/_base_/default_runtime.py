_base_ = 'mmaction::_base_/default_runtime.py'

# Registers everything of ours, and mends what today's torch needs of the stack.
custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)
# Compares labels, joints and channels of the data with the model, before training.
custom_hooks = [dict(type='CheckDataHook')]
default_hooks = dict(logger=dict(interval=100))
