"""What measures speed and memory. Figures are ratios within one run: machines differ."""

from colorize.base.threads import wait_briefly

wait_briefly()
