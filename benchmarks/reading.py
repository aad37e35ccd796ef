"""What it costs to read a photograph, by where they lie: single files, shards, a bucket.

    python -m benchmarks.reading [--photographs N] [--image-size PX]

From a folder and from a bucket (moto's server on this machine, in a process of its own), each as
single files in random order, which is what training draws and `data.store` reads; as one zip, in
random order too; and as one tar from its beginning to its end, which is how shards are read by
those that do not draw at random. Also from the bucket where fsspec's simplecache has kept them on
this machine. Beside it what decoding takes. Milliseconds of the reading process alone, and of the
clock: those of the bucket are the server's more than anything.
"""

import argparse
import io
import os
import statistics
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import fsspec
import numpy as np
from PIL import Image
from upath import UPath

from benchmarks import results
from benchmarks.photographs import photographs
from colorize.data import store
from colorize.data.encoding import png
from colorize.data.photographs import resize

ROUNDS = 5  # turns that each takes; the median counts
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKET = "photographs"

Ways = dict[str, Callable[[], Iterator[bytes]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photographs", type=int, default=300, help="how many (300)")
    parser.add_argument("--image-size", type=int, default=256, help="pixels (256)")
    parser.add_argument("--output", type=Path, help="a file for the JSON")
    arguments = parser.parse_args()
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,), daemon=True)
    os.environ.update(ACCOUNT)
    server.start()
    os.environ["AWS_ENDPOINT_URL"] = ours.recv()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write(folder, arguments.photographs, arguments.image_size)
            bucket = UPath(f"s3://{BUCKET}")
            fsspec.filesystem("s3").put(f"{folder}/", f"{BUCKET}/", recursive=True)
            result = _benchmark(folder, bucket)
    finally:
        server.terminate()
    settings = {"photographs": arguments.photographs, "image_size": arguments.image_size}
    results.show({"settings": settings} | result, _table(result), arguments.output)


def _serve(address: Connection) -> None:
    import boto3
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=BUCKET)
    address.send(f"http://{host}:{port}")
    time.sleep(24 * 3600)


def _write(folder: Path, count: int, size: int) -> None:
    """So many PNGs, all different, as single files, as one zip and as one tar."""
    originals = [resize(image, 2 * size, Image.Resampling.LANCZOS) for image in photographs()]
    rng = np.random.default_rng(0)
    (folder / "files").mkdir()
    with (
        zipfile.ZipFile(folder / "photographs.zip", "w", zipfile.ZIP_STORED) as zipped,
        tarfile.open(folder / "photographs.tar", "w") as tarred,
    ):
        for number in range(count):
            image = originals[number % len(originals)]
            left, top = (int(rng.integers(side - size)) for side in image.size)
            data = png(np.asarray(image.crop((left, top, left + size, top + size))))
            name = f"{number:016x}.png"
            (folder / "files" / name).write_bytes(data)
            zipped.writestr(name, data)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tarred.addfile(member, io.BytesIO(data))


def _benchmark(folder: Path, bucket: UPath) -> dict:
    names = sorted(path.name for path in (folder / "files").iterdir())
    order = [names[i] for i in np.random.default_rng(1).permutation(len(names))]
    ways: Ways = {}
    for place, root in (("folder", folder), ("bucket", bucket)):
        ways |= {
            f"{place}, single files": lambda root=root: _files(root / "files", order),
            f"{place}, one zip": lambda root=root: _zipped(root / "photographs.zip", order),
            f"{place}, one tar": lambda root=root: _tarred(root / "photographs.tar"),
        }
    cached = UPath(f"simplecache::{bucket}")
    ways["bucket, single files kept here"] = lambda: _files(cached / "files", order)
    spent = {way: [_spent(read()) for _ in range(ROUNDS)] for way, read in ways.items()}
    files = list(ways["folder, single files"]())
    decoding = [_spent(map(_decode, files)) for _ in range(ROUNDS)]
    return {
        "bytes": round(statistics.mean(map(len, files))),
        "decoding_ms": round(statistics.median(cpu for cpu, _ in decoding), 4),
        "rows": {
            way: {
                "cpu_ms": round(statistics.median(cpu for cpu, _ in rounds), 4),
                "ms": round(statistics.median(clock for _, clock in rounds), 4),
            }
            for way, rounds in spent.items()
        },
    }


def _spent(items: Iterator[object]) -> tuple[float, float]:
    """Milliseconds for each of them: of this process's cores, and of the clock."""
    cpu, clock = time.process_time(), time.perf_counter()
    count = sum(1 for _ in items)
    return (
        1000 * (time.process_time() - cpu) / count,
        1000 * (time.perf_counter() - clock) / count,
    )


def _files(folder: Path, names: list[str]) -> Iterator[bytes]:
    return (store.read(folder / name) for name in names)


def _zipped(path: Path, names: list[str]) -> Iterator[bytes]:
    with store.open_zip(path) as archive:
        yield from map(archive.read, names)


def _tarred(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            yield archive.extractfile(member).read()


def _decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _table(result: dict) -> str:
    lines = [
        f"decoding takes {result['decoding_ms']} ms of a core; {result['bytes']:,} bytes each",
        "",
        "| photographs in | ms of a core | ms of the clock | beside decoding |",
        "|---|---|---|---|",
    ]
    for way, row in result["rows"].items():
        share = row["cpu_ms"] / result["decoding_ms"]
        lines.append(f"| {way} | {row['cpu_ms']:.3f} | {row['ms']:.3f} | {share:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
