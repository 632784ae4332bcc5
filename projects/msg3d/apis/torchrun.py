"""Run torchrun, without a traceback if a rank has explained its error.

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
        ending = os.environ.get(FILE)
        explained = ending and Path(ending).exists()
        sys.exit(1 if explained else str(error))
