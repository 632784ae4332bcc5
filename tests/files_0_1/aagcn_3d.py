auto_scale_lr = dict(base_batch_size=128, enable=False)
custom_hooks = [
    dict(type='CheckDataHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'msg3d',
    ])
default_hooks = dict(
    checkpoint=dict(
        _scope_='mmaction',
        interval=1,
        save_best='auto',
        type='WholeCheckpointHook'),
    finite_loss=dict(type='FiniteLossHook'),
    logger=dict(
        _scope_='mmaction', ignore_last=False, interval=2, type='LoggerHook'),
    param_scheduler=dict(_scope_='mmaction', type='ParamSchedulerHook'),
    preemption=dict(type='PreemptionHook'),
    runtime_info=dict(_scope_='mmaction', type='RuntimeInfoHook'),
    sampler_seed=dict(_scope_='mmaction', type='DistSamplerSeedHook'),
    step_seed=dict(type='StepSeedHook'),
    sync_buffers=dict(_scope_='mmaction', type='SyncBuffersHook'),
    timer=dict(_scope_='mmaction', type='IterTimerHook'))
default_scope = 'mmaction'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
load_from = None
log_level = 'INFO'
log_processor = dict(
    _scope_='mmaction', by_epoch=True, type='LogProcessor', window_size=20)
model = dict(
    backbone=dict(
        base_channels=8,
        down_stages=[
            2,
        ],
        graph_cfg=dict(layout='nturgb+d', mode='spatial'),
        inflate_stages=[
            2,
        ],
        num_stages=2,
        type='LayoutAAGCN'),
    cls_head=dict(
        in_channels=16,
        init_cfg=dict(layer='Linear', std=0.5, type='Normal'),
        num_classes=3,
        type='GCNHead'),
    type='RecognizerGCN')
optim_wrapper = dict(
    optimizer=dict(
        lr=0.02, momentum=0.9, nesterov=True, type='SGD', weight_decay=0.0005))
param_scheduler = [
    dict(
        T_max=1,
        by_epoch=True,
        convert_to_iter_based=True,
        eta_min=0,
        type='CosineAnnealingLR'),
]
randomness = dict(seed=0)
resume = False
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=3,
    dataset=dict(
        ann_file='ntu_3d.pkl',
        pipeline=[
            dict(type='FastPreNormalize3D'),
            dict(layout='nturgb+d', type='SkeletonFeatures'),
            dict(
                clip_len=16,
                num_clips=3,
                test_mode=True,
                type='FastUniformSampleFrames'),
            dict(type='PoseDecode'),
            dict(num_person=2, type='FormatGCNInput'),
            dict(meta_keys=('frame_dir', ), type='PackActionInputs'),
        ],
        split='val',
        test_mode=True,
        type='SkeletonDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = [
    dict(type='AccMetric'),
]
train_cfg = dict(
    max_epochs=1, type='EpochBasedTrainLoop', val_begin=1, val_interval=1)
train_dataloader = dict(
    batch_size=3,
    dataset=dict(
        dataset=dict(
            ann_file='ntu_3d.pkl',
            pipeline=[
                dict(type='FastPreNormalize3D'),
                dict(layout='nturgb+d', type='SkeletonFeatures'),
                dict(clip_len=16, type='FastUniformSampleFrames'),
                dict(type='PoseDecode'),
                dict(num_person=2, type='FormatGCNInput'),
                dict(meta_keys=('frame_dir', ), type='PackActionInputs'),
            ],
            split='train',
            type='SkeletonDataset'),
        times=8,
        type='RepeatDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=True, type='DefaultSampler'))
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=3,
    dataset=dict(
        ann_file='ntu_3d.pkl',
        pipeline=[
            dict(type='FastPreNormalize3D'),
            dict(layout='nturgb+d', type='SkeletonFeatures'),
            dict(
                clip_len=16,
                num_clips=1,
                test_mode=True,
                type='FastUniformSampleFrames'),
            dict(type='PoseDecode'),
            dict(num_person=2, type='FormatGCNInput'),
            dict(meta_keys=('frame_dir', ), type='PackActionInputs'),
        ],
        split='val',
        test_mode=True,
        type='SkeletonDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = [
    dict(type='AccMetric'),
]
vis_backends = [
    dict(_scope_='mmaction', type='LocalVisBackend'),
]
visualizer = dict(
    _scope_='mmaction',
    type='ActionVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
