"""How TensorFlow is imported: without its chatter, and without operations that end the process."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN's 1 x 1 convolution at stride 2 corrupts memory
logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep import chatter away: TensorFlow writes some lines to descriptor 2 whatever its log level."""
    sys.stderr.flush()
    with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
