"""What DVC's experiments do to git's index, mended."""

import os
import subprocess
from pathlib import Path


def see_what_an_experiment_hides() -> None:
    """Have git compare contents, where it would trust the times and sizes of files.

    `dvc exp run` in the workspace begins with an index in which DVC (3.67) has put the times of
    uncommitted files beside what the commit has of them. Where sizes are equal, git takes them for
    unchanged. A run that succeeds writes another index, one that fails does not: the next
    `git commit -a` or `git restore .` would pass over results.
    """
    if "DVC_EXP_NAME" not in os.environ or os.environ.get("DVC_ROOT") != str(Path.cwd()):
        return  # no experiment, or one in a folder of its own
    where = ("git", "rev-parse", "--git-path", "index")
    index = subprocess.run(where, capture_output=True, text=True, check=True).stdout.rstrip("\n")
    os.utime(index, (1, 1))  # git reads again whatever may have changed since its index did
    subprocess.run(("git", "update-index", "-q", "--refresh"), capture_output=True, check=False)
