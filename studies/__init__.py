"""Research around the pipeline: presets, seeds, the study of StarGAN, published runs, model cards.

Run from the root as `python -m studies.NAME`. They run stages, or read what stages have written; no
stage needs them.
"""

from colorize.base.command import wait_briefly

wait_briefly()  # before any of them imports torch, which reads the one and takes seconds
