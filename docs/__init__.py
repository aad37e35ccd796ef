"""What readers look at, and the scripts that make its pictures."""

from colorize.base.threads import wait_briefly

wait_briefly()
