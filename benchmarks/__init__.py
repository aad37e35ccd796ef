"""What measures speed and memory. Figures are ratios within one run: machines differ."""

from colorize.base.command import wait_briefly

wait_briefly()
