"""How the threads of torch wait for each other."""

import os

# How often a thread of OpenMP looks for work before it sleeps. libgomp's default is 300,000 times,
# some milliseconds: what else runs on the machine starves meanwhile, even the threads that are
# waited for. Never to look costs small networks half of their speed, because to be woken takes
# longer than their operations. This is between the two: alone a sixth is lost at most, beside
# others much is kept. How long one look takes depends on the processor, so that 700 were as good as
# this on another. `python -m benchmarks.threads` measures all three.
SPINS = 6000


def wait_briefly() -> None:
    """Let waiting threads sleep soon, unless the user has said how they wait.

    To be called before torch is imported, which reads this once. Child processes inherit it.
    """
    if "OMP_WAIT_POLICY" not in os.environ and "GOMP_SPINCOUNT" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"  # for every OpenMP; it means 0 to libgomp, so
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
