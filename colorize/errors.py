"""The one exception that means "you can mend this"."""


class UserError(Exception):
    """Bad input: arguments, parameters, files. One line that names what is wrong and where.

    Commands print the line and exit with code 2; anything else that is raised is a bug.
    """
