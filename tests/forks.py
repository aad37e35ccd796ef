"""Starts stages in copies of a process that has imported torch, which is most of a short stage.

Run as a script it is that process: a line of JSON in is a stage to run, a line out its exit code.
A copy is a process of its own, in the project's folder, and imports the project's code from there
as `python -m` does. The packages alone are there already. Between it and this process there may be
one that stands for dvc, to be killed in its place.
"""

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import NoReturn

from PIL import Image

PACKAGES = ("filelock", "fsspec", "jinja2", "pandas", "PIL.ImageCms", "PIL.ImageDraw")
PACKAGES += ("pyarrow.pandas_compat", "pyarrow.parquet", "pydantic.main", "requests")
PACKAGES += ("pydantic.functional_validators", "ruamel.yaml", "safetensors.torch", "torch", "tqdm")
PACKAGES += ("torch._dynamo",)  # which torch imports with the first optimizer

THREADS = "1"

PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)


class Forks:
    """The process that copies itself. It ends with ours: its input is then closed."""

    def __init__(self, environment: dict[str, str]):
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        command: list[str],
        folder: Path,
        killed: tuple[str, int] | None = None,
        under_dvc: bool = False,
        largest_file: int | None = None,
        memory: int | None = None,
    ) -> subprocess.CompletedProcess:
        """Run `python -m MODULE ...` in `folder` and wait for its end.

        killed: a function (module.name or module.class.name) and before which of its calls the
        process is killed, as by kill -9; where it runs `under_dvc`, dvc alone is.
        largest_file, memory: limits, as of `ulimit`, in bytes; of memory, beyond what it has.
        """
        with tempfile.TemporaryDirectory() as said:
            out, err = Path(said, "out"), Path(said, "err")
            request = {"command": command, "folder": str(folder), "killed": killed}
            request |= {"under_dvc": under_dvc, "out": str(out), "err": str(err)}
            request |= {"largest_file": largest_file, "memory": memory}
            print(json.dumps(request), file=self.process.stdin, flush=True)
            code = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(command, code, out.read_text(), err.read_text())


def _serve() -> None:
    for package in PACKAGES:
        __import__(package)
    Image.init()  # imports a module for each format of images
    gc.freeze()  # or each copy would copy all of it when it collects garbage
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # of a stage whose dvc was killed
    for line in sys.stdin:
        request = json.loads(line)
        if os.fork() == 0:
            _become(**request)
        codes = _wait_for_children()
        left_behind = request["under_dvc"] and codes[0] == -signal.SIGKILL
        print(codes[1] if left_behind else codes[0], flush=True)


def _wait_for_children() -> list[int]:
    """How they ended, in that order: whoever was left behind comes after its parent."""
    codes = []
    with contextlib.suppress(ChildProcessError):
        while True:
            codes.append(os.waitstatus_to_exitcode(os.wait()[1]))
    return codes


def _stand_for_dvc() -> None:
    """Return in a child; the parent, as dvc does, waits for it and ends as it does."""
    os.environ["DVC_STAGE"] = "of a test"
    stage = os.fork()
    if stage:
        _, status = os.waitpid(stage, 0)
        os._exit(os.waitstatus_to_exitcode(status) % 256)


def _become(
    command: list[str],
    folder: str,
    killed: tuple[str, int] | None,
    under_dvc: bool,
    largest_file: int | None,
    memory: int | None,
    out: str,
    err: str,
) -> None:
    """Run the module, and end with it."""
    os.chdir(folder)
    for number, file in enumerate((os.devnull, out, err)):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), number)
    _python, _m, module, *arguments = command
    sys.path[0] = folder
    sys.argv = ["-m", *arguments]
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        sys.dont_write_bytecode = True  # Python cuts it off, and says nothing
    if memory is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if under_dvc:
        _stand_for_dvc()
    if killed:
        _kill_at(*killed, os.getppid() if under_dvc else os.getpid())
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    _end(code)


def _end(code: int) -> NoReturn:
    """All that an interpreter does when it ends but to take apart every module, 0.3 s of torch."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _kill_at(function: str, call: int, process: int) -> None:
    path, name = function.rsplit(".", 1)
    try:
        owner = importlib.import_module(path)
    except ModuleNotFoundError:  # a class
        module, class_name = path.rsplit(".", 1)
        owner = getattr(importlib.import_module(module), class_name)
    original = getattr(owner, name)
    calls = 0

    @functools.wraps(original)
    def counted(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(process, signal.SIGKILL)
            while os.getppid() == process:
                time.sleep(0.001)
        return original(*args, **kwargs)

    setattr(owner, name, counted)


if __name__ == "__main__":
    _serve()
