"""What readers look at, and the scripts that make its pictures."""

from colorize.base.command import wait_briefly

wait_briefly()
