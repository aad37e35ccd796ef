"""One thin script for each stage of dvc.yaml, and what they share.

Run from the root as `python -m stages.NAME`. A script reads its parameters, calls the library, and
writes the outputs that dvc.yaml declares.
"""

import sys

from colorize.base import lifetime
from colorize.base.command import wait_briefly
from stages.git import see_what_an_experiment_hides

# Before any of the scripts imports torch, which reads the one and takes seconds.
wait_briefly()
if sys.argv[0] == "-m":  # so it is while `python -m stages.NAME` imports this: no worker, no test
    lifetime.begin()
    see_what_an_experiment_hides()
