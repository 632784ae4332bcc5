_base_ = [
    '../_base_/models/aagcn.py',
    '../_base_/datasets/ntu60_3d.py',
    '../_base_/schedules/sgd_cosine_16e.py',
    '../_base_/default_runtime.py',
]
