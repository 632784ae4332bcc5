"""Train every setting of a study once a seed; table of means and deviations.

    python tools/study.py networks --data data/skeleton --seeds 5 --jobs 2
    python tools/study.py styles --settings 'xyz*' 'scores-*' --table

A run that is in results.json of the work folder is not made again, and one that was
begun goes on from its checkpoint: the command may be stopped at any time and goes on
where it was. The weights tested are always those of the last epoch.
"""

import sys

from studies.command import main

if __name__ == "__main__":
    sys.exit(main(__doc__))
