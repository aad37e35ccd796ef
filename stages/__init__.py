"""One thin script for each stage of dvc.yaml, and commands around the pipeline.

Run from the root as `python -m stages.NAME`. A script reads its parameters, calls the library, and
writes the outputs that dvc.yaml declares.
"""

from colorize.base.threads import wait_briefly

wait_briefly()  # before any of the scripts imports torch
