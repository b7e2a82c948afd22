"""Keras as every reference uses it: which backend, how precise, how repeatable, on which device.

TensorFlow is the backend that grades, unless `KERAS_BACKEND` names another or Keras is imported already.
"""

import os
import sys

from kerasref.quiet import quiet

if "keras" not in sys.modules:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # grading workers share one GPU
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # PyTorch's determinism on a GPU asks for it


with quiet():
    import keras

BACKEND = keras.backend.backend()
keras.config.set_floatx("float64")

if BACKEND == "tensorflow":
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(False)
elif BACKEND == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")
elif BACKEND == "torch":
    import torch

    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("highest")


def device() -> str:
    """The device that references run on, in words: `tensorflow 2.21.0 on CPU`."""
    if BACKEND == "tensorflow":
        gpus = tf.config.list_physical_devices("GPU")
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        place = details.get("device_name", "GPU") if gpus else "CPU"
        return f"tensorflow {tf.__version__} on {place}"
    if BACKEND == "jax":
        return f"jax {jax.__version__} on {jax.devices()[0].device_kind}"
    if BACKEND == "torch":
        place = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
        return f"torch {torch.__version__} on {place}"
    return f"{BACKEND} on CPU"
