"""A model as one ONNX file: what it makes of gray, without Python, torch or this project.

Gray to chroma for every method, so that any program can join the two at any size.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx_ir
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorize.base.errors import UserError
from colorize.base.files import replaced_file
from colorize.methods.shared.base import Method
from colorize.use.colorizer import MULTIPLE

LARGEST = 1e-3  # difference to the model itself, in units of a and b, which reach 110

# Of images that a file is checked with: (n, H, W), small, odd, one and several at a time
CHECKED = ((1, 64, 64), (3, 61, 47), (2, 136, 200), (1, 9, 128))


class Chroma(nn.Module):
    """(n, 1, H, W) gray, sRGB in [0, 1], to CIE a and b (n, 2, H, W), at any size."""

    def __init__(self, method: Method):
        super().__init__()
        self.method = method

    def forward(self, gray: Tensor) -> Tensor:
        height, width = gray.shape[-2:]
        missing = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        padded = F.pad(gray, missing, "replicate")
        return self.method.predict_ab(padded)[..., :height, :width]


def export(method: Method, path: Path, weights: Path | None = None) -> float:
    """Write an ONNX file, inputs and outputs as of `Chroma`, named `gray` and `ab`.

    weights: the model's, beside `path`, which the file then refers to instead of holding them.
    Returns the largest difference to the model. Raises UserError, and writes nothing, where it is
    more than LARGEST.
    """
    chroma = Chroma(method.eval())
    example = torch.zeros(2, 1, 8 * MULTIPLE, 9 * MULTIPLE)
    chroma(example)  # makes constants that colors need, which tracing could not
    any_size = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    with warnings.catch_warnings(), replaced_file(path) as partial:
        warnings.simplefilter("ignore")  # of the exporter's own making
        program = torch.onnx.export(
            chroma,
            (example,),
            dynamo=True,
            dynamic_shapes={"gray": any_size},
            input_names=["gray"],
            output_names=["ab"],
            verbose=False,
            optimize=weights is None,  # which makes new weights of those that are there
        )
        for value, channels in (
            (program.model.graph.inputs[0], 1),
            (program.model.graph.outputs[0], 2),
        ):
            value.shape = onnx_ir.Shape(("n", channels, "height", "width"))
        program.model.metadata_props["image_size"] = str(method.image_size)
        program.model.doc_string = f"{' '.join(Chroma.__doc__.split())} Method: {method.p.method}."
        for node in program.model.graph.all_nodes():
            node.metadata_props.clear()  # lines of this project's code: most of the file
        if weights is not None:
            _refer(program.model.graph, weights)
        program.save(partial)
        largest = difference(chroma, partial)
        if not largest <= LARGEST:
            raise UserError(f"{path}: differs from the model by {largest:.2g}, not written")
    return largest


def _refer(graph: onnx_ir.Graph, weights: Path) -> None:
    """Have a graph's constants refer to the tensors of those names in a safetensors file.

    Its format: the length of a header, 8 bytes; the header, JSON that says where each tensor is
    after it; the tensors.
    """
    with open(weights, "rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(start - 8))
    for name, constant in graph.initializers.items():
        found = header.get(name.removeprefix("method."))
        tensor = constant.const_value
        if found and found["dtype"] == "F32" and tensor.dtype == onnx_ir.DataType.FLOAT:
            begin, end = found["data_offsets"]
            constant.const_value = onnx_ir.ExternalTensor(
                weights.name,
                start + begin,
                end - begin,
                tensor.dtype,
                shape=tensor.shape,
                name=name,
                base_dir=weights.parent,
            )


@torch.inference_mode()
def difference(chroma: Chroma, path: Path) -> float:
    """The largest one between what a model and its file make, over images of all of CHECKED."""
    import onnxruntime  # takes a while, and is needed here alone

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for n, height, width in CHECKED:
        gray = torch.rand(n, 1, height, width, generator=generator)
        (made,) = session.run(None, {"gray": gray.numpy()})
        largest = max(largest, float(np.abs(made - chroma(gray).numpy()).max()))
    return largest
