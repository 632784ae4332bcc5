"""Run torchrun, without its traceback if a process has reported its error.

python -m msg3d.apis.torchrun [OPTIONS] SCRIPT ...
"""

import os
import sys
from pathlib import Path

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main

from ..engine.endings import DEBUG, FILE

if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except SignalException as error:
        sys.exit(128 + error.sigval)
    except ChildFailedError as error:
        if os.environ.get(DEBUG):
            raise
        path = os.environ.get(FILE)
        reported = path and Path(path).exists()
        sys.exit(1 if reported else str(error))
