"""Open a page in the browser to color photographs on: nothing of them leaves this computer.

python -m colorize.demo [--port PORT] [--no-browser]
"""

import argparse

from colorize.base import command
from colorize.base.errors import UserError

command.begin()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="of the page (a free one)")
    parser.add_argument("--no-browser", action="store_true", help="print its address only")
    arguments = parser.parse_args()
    try:
        from colorize.use import page
    except ImportError as error:
        raise UserError(
            f"{error.name} is missing: python -m pip install -r requirements-demo.txt"
        ) from None
    page.serve(arguments.port, open_browser=not arguments.no_browser)


if __name__ == "__main__":
    command.run(main)
