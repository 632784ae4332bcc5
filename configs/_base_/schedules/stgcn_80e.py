# ST-GCN's authors on NTU RGB+D: batch 64, 80 epochs, steps at 10 and 50.
_base_ = 'steps.py'
