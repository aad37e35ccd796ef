"""The one exception that means "you can fix this", and other errors as one line."""


class UserError(Exception):
    """Bad input: arguments, parameters, files. One line that names what is wrong and where.

    Commands print the line and exit with code 2; anything else that is raised is a bug.
    """


def printable(line: str) -> str:
    """With what would not be seen on a terminal, or would change it, written as Python does.

    Names of files hold all sorts: lines, control characters, bytes that are no UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def one_line(error: object) -> str:
    """What an error says, or what it is where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def change(key: str, before: object, now: object) -> str:
    """`key` with both values; of a file, whose values are hashes, its name says enough."""
    return key if "/" in key else f"{key} ({before}, now {now})"
