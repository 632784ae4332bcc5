# Schedule of ST-GCN on NTU RGB+D: batch size 64, 80 epochs, steps at 10 and 50.
_base_ = 'steps.py'
